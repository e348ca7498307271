"""Words as tokens, without loss: every character of a text is in one piece."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self

import numpy as np

from charrnn.errors import TextError
from charrnn.tokenizers.base import REPLACEMENT, Ids, Tokenizer
from charrnn.tokenizers.char import FIRST, UNKNOWN, keep_frequent, room_for_pieces
from charrnn.tokenizers.config import TokenizerConfig

DEFAULT_VOCAB_SIZE: Final = 20_000

SLICE_CHARACTERS: Final = 1 << 20


class WordTokenizer(Tokenizer):
    """The most frequent words, marks and spaces; every other one is unknown.

    A word takes the space before it along, so most text costs one token a word.
    """

    level = "word"
    unknown = UNKNOWN

    def __init__(self, pieces: Sequence[str]) -> None:
        if not all(pieces) or len(set(pieces)) != len(pieces):
            raise ValueError("a word is empty or twice in the vocabulary")
        self.pieces = tuple(pieces)
        self._bytes = [b"", REPLACEMENT]
        self._bytes += [piece.encode("utf-8", "surrogateescape") for piece in pieces]
        self._ids = _Ids(zip(pieces, range(FIRST, FIRST + len(pieces)), strict=True))

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the pieces that occur at least `min_count` times, most first.

        All of them where that leaves none; no more than fit in `vocab_size`, which is
        20,000 where it is 0. Raises TextError for texts without any.
        """
        counter: Counter[str] = Counter()
        for text in texts:
            for found in _pieces(text):
                counter.update(found)
        room = room_for_pieces(config, at_least=1) or DEFAULT_VOCAB_SIZE - FIRST
        pieces = sorted(counter)
        counts = np.array([counter[piece] for piece in pieces], np.int64)
        kept = keep_frequent(counts, min_count=config.min_count, limit=room)
        if not len(kept):
            raise TextError(
                "the training text has no words", hint="give a text to learn from"
            )
        return cls([pieces[place] for place in kept])

    @property
    def vocab_size(self) -> int:
        """Number of pieces, and two."""
        return len(self._bytes)

    def encode(self, text: str) -> Ids:
        """Return one id a piece, (n,) int64."""
        parts = [
            np.fromiter(map(self._ids.__getitem__, found), np.int64, len(found))
            for found in _pieces(text)
        ]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and where each piece ends, the unknown ones too."""
        lengths = [len(piece) for found in _pieces(text) for piece in found]
        return self.encode(text), np.cumsum(lengths, dtype=np.int64)

    def token_bytes(self, token: int) -> bytes:
        """Return the piece as UTF-8."""
        return self._bytes[token]

    def to_json(self) -> dict[str, Any]:
        """Return the pieces as a list, by falling count."""
        return {"level": self.level, "pieces": list(self.pieces)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the list. Raises ValueError."""
        pieces = values.get("pieces")
        if not isinstance(pieces, list) or not all(
            isinstance(piece, str) for piece in pieces
        ):
            raise ValueError("a word tokenizer needs a list of pieces")
        return cls(pieces)


class _Ids(dict[str, int]):
    """Ids of pieces; unlike `get` with a default, this runs inside one `map`."""

    def __missing__(self, piece: str) -> int:
        return UNKNOWN


def _pieces(text: str) -> Iterator[list[str]]:
    """Yield the pieces of a text, a list for each million characters or so."""
    find = _pattern().findall
    start = 0
    while start < len(text):
        end = _safe_cut(text, start)
        yield find(text, start, end)
        start = end


def _safe_cut(text: str, start: int) -> int:
    """Return a place about a slice further where no piece can be cut apart.

    A space is only ever at the start of a piece and a newline is a whole piece, so
    the place before either is safe.
    """
    wanted = start + SLICE_CHARACTERS
    if wanted >= len(text):
        return len(text)
    ahead = [text.find(mark, wanted) for mark in " \n"]
    return min((place for place in ahead if place >= 0), default=len(text))


@functools.cache
def _pattern() -> re.Pattern[str]:
    r"""Return the pattern of one piece; together the pieces are the text.

    A word: letters and digits with their combining marks and joiners, apostrophes
    inside, and at most one space before it. Anything else: one character.
    """
    letter = r"[^\W_]"
    # Only the first plane: with one mark above it, `re` leaves its table for a
    # search through ranges, and the whole pattern falls from 22 to 4 MB/s.
    points = map(chr, range(0x10000))
    marks = "".join(c for c in points if unicodedata.category(c).startswith("M"))
    mark = f"[{re.escape(marks)}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}]"
    apostrophe = "['\N{RIGHT SINGLE QUOTATION MARK}]"
    return re.compile(rf" ?{letter}+(?:{mark}{letter}*|{apostrophe}{letter}+)*|[\s\S]")
