"""How large a text is: characters, bytes and words, each counted one way."""

from typing import Final

import numpy as np

from charrnn.text.characters import code_points

IS_SPACE: Final = np.array([chr(code).isspace() for code in range(0x3002)])


class Tally:
    """Counts documents that come in blocks."""

    def __init__(self) -> None:
        self.bytes = self.characters = self.words = self.documents = 0
        self._in_word = False

    def add(self, texts: list[str], is_open: bool) -> bytes:
        """Count the next block of documents; return it, each closed by a line end."""
        closed = len(texts) - is_open
        joined = "\n".join(texts if is_open else [*texts, ""])
        data = joined.encode("utf-8", "surrogateescape")
        self.bytes += len(data) - closed
        self.characters += len(joined) - closed
        self.documents += closed
        self._count_words(joined)
        return data

    def _count_words(self, text: str) -> None:
        # by table: four times as fast as len(text.split()), 450 against 110 MB/s
        is_space = IS_SPACE.take(code_points(text), mode="clip")
        self.words += int(np.count_nonzero(is_space[:-1] > is_space[1:]))
        self.words += not (self._in_word or is_space[0])
        self._in_word = not is_space[-1]


def text_size(text: str) -> tuple[int, int, int]:
    """Return the characters, UTF-8 bytes and words of a text."""
    data = text.encode("utf-8", "surrogateescape")
    return len(text), len(data), len(text.split())
