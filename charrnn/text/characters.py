"""Text as arrays of code points, so that NumPy can look up and count characters."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# a chunk fits in the cache; 56 MB of text as a single chunk takes seven times as long
CHUNK_CHARACTERS: Final = 1 << 18

CodePoints = npt.NDArray[np.unsignedinteger[Any]]


def code_points(text: str) -> CodePoints:
    """Return the code points of a text, (n,), as integers of 1, 2 or 4 bytes.

    The type is the narrowest that holds every character; such arrays are the fastest to
    process.
    """
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    # a character above 0xFFFF takes two units of UTF-16
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    if len(units) == len(text):
        return units
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def chunks(texts: Iterable[str], *, separator: str = "") -> Iterator[str]:
    """Join and cut the texts into strings of about 262,144 characters, and yield those.

    One huge text then takes as long as millions of short lines. The separator is put
    between texts that share a string, never inside a text.
    """
    held: list[str] = []
    size = 0
    for text in texts:
        if size + len(text) < CHUNK_CHARACTERS:  # the fast path, for lines
            size += len(text)
            if text:
                held.append(text)
            continue
        for start in range(0, len(text), CHUNK_CHARACTERS):
            held.append(text[start : start + CHUNK_CHARACTERS])
            size += len(held[-1])
            if size >= CHUNK_CHARACTERS:
                yield separator.join(held)
                held, size = [], 0
    if held:
        yield separator.join(held)


def count_characters(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """Count how often each code point occurs, (0x110000,), in one pass.

    Lone surrogates are not characters and are not counted, except those that represent
    bytes (surrogateescape).
    """
    counts = np.zeros(0x110000, np.int64)
    for chunk in chunks(texts):
        found = np.bincount(code_points(chunk))
        counts[: len(found)] += found
    counts[0xD800:0xDC80] = 0
    counts[0xDD00:0xE000] = 0
    return counts
