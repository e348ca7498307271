"""Words as tokens, and the base of all levels whose tokens are listed strings."""

import functools
import re
import unicodedata
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self

import numpy as np

from charrnn.errors import TextError
from charrnn.tokenizers.base import REPLACEMENT, Ids, Tokenizer, listed
from charrnn.tokenizers.char import FIRST, UNKNOWN, keep_frequent, room_for_pieces
from charrnn.tokenizers.config import DEFAULT_MIN_COUNT, TokenizerConfig

DEFAULT_VOCAB_SIZE: Final = 20_000

# A slice ends before a space or a newline. Neither splits a piece: a space can only
# start a piece, and a newline is a piece by itself.
SLICE: Final = re.compile(r"(?s:.{1,1048576})[^ \n]*")


class PieceTokenizer(Tokenizer):
    """The base of levels with a list of frequent pieces; all others are unknown."""

    unknown = UNKNOWN

    @staticmethod
    @abstractmethod
    def find(text: str) -> Iterator[list[str]]:
        """Yield the pieces of a text in order, in one or more lists."""

    def __init__(self, pieces: Sequence[str]) -> None:
        if not all(pieces) or len(set(pieces)) != len(pieces):
            raise ValueError("the vocabulary has an empty or repeated piece")
        self.pieces = tuple(pieces)
        self._bytes = [b"", REPLACEMENT]
        self._bytes += [piece.encode("utf-8", "surrogateescape") for piece in pieces]
        self._ids = _Ids(zip(pieces, range(FIRST, FIRST + len(pieces)), strict=True))

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the pieces that occur at least `min_count` times, most frequent first.

        If there are no such pieces, learn all. At most `vocab_size` are kept (0 means
        20,000).
        Raises TextError if the texts are empty.
        """
        counter = cls._count(texts)
        least = config.min_count or DEFAULT_MIN_COUNT
        room = room_for_pieces(config) or DEFAULT_VOCAB_SIZE - FIRST
        return cls._of_frequent(counter, min_count=least, limit=room)

    @classmethod
    def _count(cls, texts: Iterable[str]) -> Counter[str]:
        counter: Counter[str] = Counter()
        for text in texts:
            for found in cls.find(text):
                counter.update(found)
        return counter

    @classmethod
    def _of_frequent(
        cls, counter: Counter[str], *, min_count: int, limit: int | None
    ) -> Self:
        pieces = sorted(counter)
        counts = np.array([counter[piece] for piece in pieces], np.int64)
        kept = keep_frequent(counts, min_count=min_count, limit=limit)
        if not len(kept):
            raise TextError(f"the training text has no {cls.level}s", hint="add text")
        return cls([pieces[place] for place in kept])

    def encode(self, text: str) -> Ids:
        """Return one id per piece."""
        parts = [
            np.fromiter(map(self._ids.__getitem__, found), np.int64, len(found))
            for found in self.find(text)
        ]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def to_json(self) -> dict[str, Any]:
        """Return the pieces as a list."""
        return {"level": self.level, "pieces": list(self.pieces)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the list of pieces."""
        return cls(listed(values, "pieces", cls.level))


class WordTokenizer(PieceTokenizer):
    """Words, punctuation and spaces; every character belongs to exactly one piece.

    A word includes the space before it, so most text takes one token per word.
    """

    level = "word"

    @staticmethod
    def find(text: str) -> Iterator[list[str]]:
        """Yield the pieces of a text, in one list per slice."""
        for part in SLICE.finditer(text):
            yield _pattern().findall(text, *part.span())

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and where each piece ends, including unknown ones."""
        lengths = [len(piece) for found in self.find(text) for piece in found]
        return self.encode(text), np.cumsum(lengths, dtype=np.int64)


class _Ids(dict[str, int]):
    """The id of each piece. Unlike `get` with a default, it works inside `map`."""

    def __missing__(self, piece: str) -> int:
        return UNKNOWN


@functools.cache
def _pattern() -> re.Pattern[str]:
    r"""Return the pattern of a piece: a word, or any other single character.

    A word consists of letters and digits, their combining marks and joiners, inner
    apostrophes, and at most one space in front: "don't stop!" -> "don't", " stop", "!".
    """
    letter = r"[^\W_]"
    # Use only the first plane: a single mark beyond it makes `re` search ranges instead
    # of a table, which slows the pattern down from 22 to 4 MB/s.
    points = map(chr, range(0x10000))
    marks = "".join(c for c in points if unicodedata.category(c).startswith("M"))
    mark = f"[{re.escape(marks)}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}]"
    apostrophe = "['\N{RIGHT SINGLE QUOTATION MARK}]"
    return re.compile(rf" ?{letter}+(?:{mark}{letter}*|{apostrophe}{letter}+)*|[\s\S]")
