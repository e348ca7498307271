"""The items of a text (tokens, or words that consist of tokens), each with its bits.

Every token belongs to exactly one item, so the bits of the items add up to the bits
of the text. The end of the text is an item of its own, "<EOS>".
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

END: Final = "<EOS>"
#: White space at the end of a text does not belong to a word, but is counted too.
_WORD: Final = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True)
class Item:
    """A part of a text, text[start:end], and its surprisal in bits.

    rank: 1 if no token was more likely. top: the most likely tokens with their bits.
    Words of several tokens have neither. shown: the form of the item in a table.
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
        values = vars(self) | {"top": [{"text": t, "bits": b} for t, b in self.top]}
        del values["shown"]
        return values


def token_items(
    model: "TextModel", text: str, scores: Iterable["TokenScore"]
) -> Iterator[Item]:
    """Yield an item for each scored token.

    If several tokens make up one character, the last of them has that character as
    its text, and the others have an empty text.
    """
    piece = model.tokenizer.piece
    for score in scores:
        is_end = score.token == model.tokenizer.boundary
        own = END if is_end else text[score.start : score.end]
        yield Item(
            own,
            score.start,
            score.end,
            score.nats / log(2),
            score.rank,
            tuple((piece(token), nats / log(2)) for token, nats in score.top),
            END if is_end else console.quoted(own or piece(score.token)),
        )


def word_items(text: str, tokens: Sequence[Item]) -> Iterator[Item]:
    """Yield an item for each word with the white space before it.

    A token belongs to the word in which it ends.
    """
    spans = [match.span() for match in _WORD.finditer(text)]
    ends = [end for _, end in spans]
    inside: list[list[Item]] = [[] for _ in spans]
    outside = []
    for token in tokens:
        if token.text == token.shown == END or not spans:
            outside.append(token)
            continue
        # a token that ends inside a character belongs to the word with that character
        place = bisect_left(ends, max(token.end, token.start + 1))
        inside[min(place, len(spans) - 1)].append(token)
    for (start, end), parts in zip(spans, inside, strict=True):
        word = text[start:end]
        bits = sum(part.bits for part in parts)
        rank, top = (parts[0].rank, parts[0].top) if len(parts) == 1 else (None, ())
        yield Item(word, start, end, bits, rank, top, console.quoted(word))
    yield from outside
