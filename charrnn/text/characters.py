"""Text as arrays of code points, so that NumPy can look up and count characters."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# a chunk fits in the cache; 56 MB of text as a single chunk takes seven times as long
CHUNK_CHARACTERS: Final = 1 << 18

CodePoints = npt.NDArray[np.unsignedinteger[Any]]


def code_points(text: str) -> CodePoints:
    """Return the code points of a text, (n,), in the narrowest type that fits them all.

    The narrower the type, the faster the array is to process.
    """
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    # a character above 0xFFFF takes two units of UTF-16
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    if len(units) == len(text):
        return units
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def chunks(texts: Iterable[str], *, separator: str = "") -> Iterator[str]:
    """Yield the texts, joined or cut into strings of about 262,144 characters.

    This makes one huge text as fast to process as millions of short lines. The
    separator is put between texts that share a string, never inside a text.
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


def one_line(text: str) -> str:
    """Return a text with its line ends and TABs spelled out."""
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
