"""Symbols as tokens: words of PTB files, phones or tags, separated by blanks.

A text decodes to the same text, but with single blanks and no blanks at line ends:

    text        " the cat \n sat  down\n"
    tokens      the, cat, \n, sat, down, \n
    decoded     "the cat\nsat down\n"

Spaces, tabs, carriage returns, vertical tabs and form feeds are blanks. All other white
space, such as U+00A0, is part of a symbol.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Self

import numpy as np

from charrnn.tokenizers.base import Ids
from charrnn.tokenizers.char import FIRST, UNKNOWN, room_for_pieces
from charrnn.tokenizers.config import DEFAULT_MIN_COUNT, TokenizerConfig
from charrnn.tokenizers.word import DEFAULT_VOCAB_SIZE, SLICE, PieceTokenizer

UNKNOWN_SYMBOL: Final = "<unk>"  #: an unknown word in PTB and WikiText files
UTF8: Final = ("utf-8", "surrogateescape")
SMALL: Final = 1000  #: with fewer distinct symbols, all are kept

_SYMBOL: Final = re.compile(r"\n|[^ \t\n\r\v\f]+")


class SymbolTokenizer(PieceTokenizer):
    """One token per symbol and one per line end; <unk> is the unknown token."""

    level = "symbol"

    def __init__(self, pieces: Sequence[str]) -> None:
        if not all(map(_SYMBOL.fullmatch, pieces)) or UNKNOWN_SYMBOL in pieces:
            raise ValueError("the vocabulary contains <unk> or a symbol with a blank")
        super().__init__(pieces)
        self._bytes[UNKNOWN] = UNKNOWN_SYMBOL.encode()

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the symbols, most frequent first.

        By default, all symbols are kept if there are fewer than 1,000, or if the texts
        contain <unk>, which means that rare words have already been replaced.
        Otherwise, the defaults are those of the word level: at most 20,000 tokens, and
        symbols that occur only once are unknown. Raises TextError if the texts are
        empty.
        """
        counter = cls._count(texts)
        is_closed = UNKNOWN_SYMBOL in counter or len(counter) < SMALL
        del counter[UNKNOWN_SYMBOL]
        least = config.min_count or (1 if is_closed else DEFAULT_MIN_COUNT)
        room = None if is_closed else DEFAULT_VOCAB_SIZE - FIRST
        limit = room_for_pieces(config) or room
        return cls._of_frequent(counter, min_count=least, limit=limit)

    @staticmethod
    def find(text: str) -> Iterator[list[str]]:
        """Yield the symbols and line ends of a text, in one list per slice."""
        for part in SLICE.finditer(text):
            yield _SYMBOL.findall(text, *part.span())

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids, and the offset where each token ends.

        A token includes the blanks before it. The last one also includes any blanks
        after it.
        """
        ends = np.array([match.end() for match in _SYMBOL.finditer(text)], np.int64)
        ends[-1:] = len(text)
        return self.encode(text), ends

    def normalise(self, text: str) -> str:
        """Return the text with single blanks and no blanks at line ends."""
        symbols = (symbol for found in self.find(text) for symbol in found)
        data = self.join(symbol.encode(*UTF8) for symbol in symbols)
        return data.decode(*UTF8)

    def join(self, pieces: Iterable[bytes]) -> bytes:
        """Return the pieces with a blank between any two symbols of a line."""
        joined = b" ".join(filter(None, pieces))
        joined = joined.replace(b" \n", b"\n").replace(b"\n ", b"\n")
        return joined.replace(b"  ", b" ")  # after a prompt that ends in a blank
