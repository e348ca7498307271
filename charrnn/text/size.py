"""The size of a text in characters, UTF-8 bytes and words."""

from dataclasses import astuple, dataclass
from operator import add
from typing import Final

import numpy as np

from charrnn.text.characters import code_points

#: str.isspace for each code point up to the last whitespace, and False for all others
IS_SPACE: Final = np.array([chr(code).isspace() for code in range(0x3002)])


@dataclass(frozen=True)
class TextSize:
    """Characters (code points), UTF-8 bytes and whitespace-separated words."""

    characters: int = 0
    bytes: int = 0
    words: int = 0

    def __add__(self, other: "TextSize") -> "TextSize":
        return TextSize(*map(add, astuple(self), astuple(other)))


class Tally:
    """Adds up the sizes of documents that arrive in blocks."""

    def __init__(self) -> None:
        self.size = TextSize()
        self.documents = 0
        self._in_word = False

    def add(self, texts: list[str], is_open: bool) -> bytes:
        """Count a block of documents; return its bytes, with a newline after each one.

        is_open: whether the last document continues in the next block; if so, no
        newline follows it.
        """
        closed = len(texts) - is_open
        joined = "\n".join(texts if is_open else [*texts, ""])
        data = joined.encode("utf-8", "surrogateescape")
        words = _count_words(joined, in_word=self._in_word)
        self.size += TextSize(len(joined) - closed, len(data) - closed, words)
        self.documents += closed
        self._in_word = not joined[-1].isspace()
        return data


def text_size(text: str) -> TextSize:
    """Return the size of a text. A byte that is not UTF-8 counts as one character."""
    data = text.encode("utf-8", "surrogateescape")
    return TextSize(len(text), len(data), _count_words(text))


def _count_words(text: str, *, in_word: bool = False) -> int:
    """Return the number of words that start in a text, like len(text.split()).

    in_word: whether the preceding text ended with a word, which may continue here.
    """
    if not text:
        return 0
    # a table lookup is four times as fast as split(): 450 MB/s compared to 110
    is_space = IS_SPACE.take(code_points(text), mode="clip")
    begins = int(np.count_nonzero(is_space[:-1] > is_space[1:]))
    return begins + (not (in_word or is_space[0]))
