"""Texts as arrays of numbers, so that NumPy looks up and counts their characters."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# what stays in the cache: a text of 56 MB in one stroke takes seven times as long
BATCH_CHARACTERS: Final = 1 << 18

Numbers = npt.NDArray[np.unsignedinteger[Any]]


def code_points(text: str) -> Numbers:
    """Return the code points of a text, (n,), in one, two or four bytes each.

    As few as the widest character needs: short numbers are looked up fastest.
    """
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    # a character beyond 0xFFFF takes two units of UTF-16
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    if len(units) == len(text):
        return units
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def batches(texts: Iterable[str], *, separator: str = "") -> Iterator[str]:
    """Yield the texts, joined or cut to strings of 262,144 characters or so.

    So that one huge text and millions of short lines cost the same. The separator
    stands between texts that come in one string, never inside a text.
    """
    held: list[str] = []
    size = 0
    for text in texts:
        if size + len(text) < BATCH_CHARACTERS:  # most are lines: no time for more
            size += len(text)
            if text:
                held.append(text)
            continue
        for part in _parts(text):
            held.append(part)
            size += len(part)
            if size >= BATCH_CHARACTERS:
                yield separator.join(held)
                held, size = [], 0
    if held:
        yield separator.join(held)


def count_characters(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return how often each code point occurs, (0x110000,), the texts read once.

    Lone surrogates are not text and count as 0, but for those that stand for a
    byte (surrogateescape).
    """
    counts = np.zeros(0x110000, np.int64)
    for batch in batches(texts):
        found = np.bincount(code_points(batch))
        counts[: len(found)] += found
    counts[0xD800:0xDC80] = 0
    counts[0xDD00:0xE000] = 0
    return counts


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), BATCH_CHARACTERS):
        yield text[start : start + BATCH_CHARACTERS]
