"""The parts of a text with the bits of each: tokens, or words made of tokens.

Every token of a text is in exactly one item, so the bits of the items add up to
the bits of the text. The end of the text is an item of its own, "<EOS>".
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel, TokenScore
    from charrnn.tokenizers.base import Tokenizer

END: Final = "<EOS>"
# white space at the end of a text belongs to no word, but its bits must be somewhere
_WORD: Final = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True)
class Item:
    """A part of a text: text[start:end] and its surprisal in bits.

    rank: 1 if nothing was likelier there; None for a word of several tokens, which
    has no alternatives (`top`) either. shown: how it stands in a table.
    """

    text: str
    start: int
    end: int
    bits: float
    rank: int | None
    top: tuple[tuple[str, float], ...]
    shown: str

    def to_json(self) -> dict[str, Any]:
        """Return the item as JSON values."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "bits": self.bits,
            "rank": self.rank,
            "top": [{"text": text, "bits": bits} for text, bits in self.top],
        }


def token_items(
    model: "TextModel", text: str, scores: Iterable["TokenScore"]
) -> Iterator[Item]:
    """Yield an item for each scored token.

    A token that ends inside a character has no text of its own: the last token of
    the character has it.
    """
    tokenizer = model.tokenizer
    for score in scores:
        is_end = score.token == tokenizer.boundary
        piece = tokenizer.piece(score.token)
        own = END if is_end else text[score.start : score.end]
        yield Item(
            own,
            score.start,
            score.end,
            score.nats / log(2),
            score.rank,
            tuple((_piece(tokenizer, t), nats / log(2)) for t, nats in score.top),
            END if is_end else console.quoted(own or piece),
        )


def word_items(text: str, tokens: Sequence[Item]) -> Iterator[Item]:
    """Yield an item for each word with the white space before it.

    A token counts where it ends; one inside a character, where that character is.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    ends = [end for _, end in spans]
    inside: list[list[Item]] = [[] for _ in spans]
    apart = []
    for token in tokens:
        if token.text == token.shown == END or not spans:
            apart.append(token)
            continue
        place = bisect_left(ends, max(token.end, token.start + 1))
        inside[min(place, len(spans) - 1)].append(token)
    for (start, end), parts in zip(spans, inside, strict=True):
        word = text[start:end]
        bits = sum(part.bits for part in parts)
        only = parts[0] if len(parts) == 1 else None
        rank, top = (only.rank, only.top) if only else (None, ())
        yield Item(word, start, end, bits, rank, top, console.quoted(word))
    yield from apart


def _piece(tokenizer: "Tokenizer", token: int) -> str:
    """Return a token as it stands among the alternatives."""
    return END if token == tokenizer.boundary else tokenizer.piece(token)
