"""Parts whose tokens are their own positions.

So a batch says what of the part it holds: the target at position p is p, and its
input is p - 1 or the boundary.
"""

import tracemalloc

import numpy as np
import pytest

from charrnn.data.batches import IGNORE, Batch
from charrnn.data.store import Part


def part_of(lengths: list[int], *, has_ends: bool = True) -> Part:
    """Return a part with documents of so many targets; without ends there are gaps."""
    counts = np.array(lengths)
    steps = counts if has_ends else counts + 1
    starts = np.concatenate([[0], np.cumsum(steps)[:-1]])
    tokens = np.arange(int(steps.sum()) + 1)
    return Part(tokens, starts, counts, 0, 0, 0, 0)


def all_targets(part: Part) -> list[int]:
    """Return the position of every target of a part, in order."""
    spans = zip(part.starts.tolist(), part.lengths.tolist(), strict=True)
    return [p for start, length in spans for p in range(start + 1, start + length + 1)]


def target_tokens(part: Part) -> list[int]:
    """Return every target of a part, in order."""
    found: list[int] = part.tokens[all_targets(part)].tolist()
    return found


def predicted(*several: Batch) -> list[int]:
    """Return the positions that batches predict, in order."""
    found = [batch.targets[batch.targets != IGNORE] for batch in several]
    return sorted(np.concatenate(found).tolist())


rng = np.random.default_rng(0)
PARTS = {
    "one tiny document": part_of([1]),
    "one short document": part_of([11]),
    "one document of two windows exactly": part_of([16]),
    "one long document": part_of([1003]),
    "three long documents": part_of([300, 41, 777]),
    "tiny documents": part_of([1, 2, 1, 3, 1]),
    "many mixed documents": part_of(rng.integers(1, 60, 70).tolist()),
    "many documents and one long": part_of([*[5] * 60, 900, *[7] * 60]),
    "documents without ends": part_of([9, 0, 40, 1, 0, 0, 17], has_ends=False),
    "sorted documents": part_of(sorted(rng.integers(1, 30, 80).tolist())),
}

every_part = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)


def peak_bytes(work: object) -> int:
    tracemalloc.start()
    try:
        work()  # type: ignore[operator]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def long_part(n: int) -> Part:
    """Return a part of n targets in one document, which takes no memory."""
    tokens = np.broadcast_to(np.uint8(1), (n + 1,))
    return Part(tokens, np.array([0]), np.array([n]), 0, 0, 0, 0)
