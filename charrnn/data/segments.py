"""Segments of a part: its documents cut to a bounded length, and grouped by length.

There may be a hundred million documents. Each segment therefore costs only two bytes,
for its length. Its start is computed when it is read, and loops run in blocks.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.tokenizers.base import Ids

BLOCK: Final = 1 << 16  #: documents or segments processed together
SORTED_TOGETHER: Final = 1 << 21  #: segments sorted at once

Lengths = npt.NDArray[np.unsignedinteger[Any]]


class Segments:
    """The documents of a part, cut into segments of at most `longest` targets.

    The segments of a document have nearly equal lengths. lengths: (S,), the number of
    targets in each segment, in order; an empty document has no segments.
    """

    def __init__(self, part: Part, longest: int) -> None:
        self._part = part
        self._longest = longest
        # count first, because concatenating blocks would take twice the memory
        size = sum(int(self._counts(block).sum()) for _, block in _blocks(part.lengths))
        self.lengths: Lengths = np.empty(size, np.min_scalar_type(longest))
        # List the documents that do not have exactly one segment, with the first
        # segment of each. With a sentinel document -1, every search finds one.
        documents: list[Ids] = [np.array([-1])]
        firsts: list[Ids] = [np.array([0])]
        seen = 0
        for start, block in _blocks(part.lengths):
            counts = self._counts(block)
            document = np.repeat(np.arange(len(block)), counts)
            first = np.cumsum(counts) - counts
            k = np.arange(len(document)) - first[document]
            begin, end = _borders(block[document], counts[document], k)
            self.lengths[seen : seen + len(document)] = end - begin
            uneven = np.flatnonzero(counts != 1)
            documents.append(start + uneven)
            firsts.append(seen + first[uneven])
            seen += len(document)
        self._uneven = np.concatenate(documents)
        self._firsts = np.concatenate(firsts)

    def locate(self, segments: Ids) -> tuple[Ids, Ids]:
        """Return where each segment starts, in the part and in its document."""
        place = np.searchsorted(self._firsts, segments, "right") - 1
        uneven = self._uneven[place]
        counts = np.where(uneven < 0, 0, self._counts(self._part.lengths[uneven]))
        k = segments - self._firsts[place]
        is_inside = k < counts
        # between two uneven documents, every document is one segment
        document = np.where(is_inside, uneven, uneven + 1 + k - counts)
        length = self._part.lengths[document]
        inner = np.where(is_inside, k, 0)
        begin, _ = _borders(length, self._counts(length), inner)
        return self._part.starts[document] + begin, begin

    def _counts(self, lengths: Ids) -> Ids:
        """Return the number of segments of documents of these lengths."""
        return -(-lengths // self._longest)


def noisy_order(lengths: Lengths, rng: np.random.Generator) -> Ids:
    """Return the order of the lengths after random noise of up to a tenth.

        lengths           10    11    30
        times noise       10.8  10.1  28.5     uniform(0.9, 1.1) for each
        order             1, 0, 2

    The result equals argsort(lengths * noise, kind="stable"). To need 4 bytes per
    length instead of 36, it sorts one range at a time and redraws the same noise.
    """
    ranges = -(-len(lengths) // SORTED_TOGETHER)
    # The borders affect only speed, so a sample with different noise will do.
    sampler = np.random.default_rng(0)
    sample = lengths[sampler.integers(0, len(lengths), 64 * ranges)]
    noisy = sample * sampler.uniform(0.9, 1.1, len(sample))
    inner = np.quantile(noisy, np.arange(1, ranges) / ranges).tolist()
    order = np.empty(len(lengths), np.min_scalar_type(len(lengths)))
    state, done = rng.bit_generator.state, 0
    for low, high in pairwise([0.0, *inner, math.inf]):
        rng.bit_generator.state = state
        places, keys = [np.empty(0, order.dtype)], [np.empty(0)]
        for start, block in _blocks(lengths):
            noisy = block * rng.uniform(0.9, 1.1, len(block))
            chosen = np.flatnonzero((noisy >= low) & (noisy < high))
            places.append((chosen + start).astype(order.dtype))
            keys.append(noisy[chosen])
        by_key = np.argsort(np.concatenate(keys), kind="stable")
        order[done : done + len(by_key)] = np.concatenate(places)[by_key]
        done += len(by_key)
    return order


def histogram(lengths: Lengths) -> Ids:
    """Return the number of segments of each length, from 0 to the longest."""
    counts = np.zeros(int(lengths.max(initial=0)) + 1, np.int64)
    for _, block in _blocks(lengths):
        counts += np.bincount(block, minlength=len(counts))
    return counts


def group(counts: Ids, budget: int) -> Ids:
    """Group rows sorted by length so that rows times longest length fits a budget.

        counts    [0, 0, 3, 1], so the rows have the lengths 2 2 2 3
        budget    4
        returns   [0, 2, 3, 4], so the groups are 2 2, 2, 3

    Returns the rank at which each group begins, and the total. Each group takes as many
    rows as fit, but at least one.
    """
    cuts, first, end = [np.array([0])], 0, 0
    for length in np.flatnonzero(counts).tolist():
        most = max(1, budget // max(1, length))
        if end - first >= most:  # the shorter rows leave no room for this length
            cuts.append(np.array([end]))
            first = end
        end += int(counts[length])
        whole = (end - first) // most
        cuts.append(first + most * np.arange(1, whole + 1))
        first += most * whole
    if first < end:
        cuts.append(np.array([end]))
    return np.concatenate(cuts)


def _blocks(array: npt.NDArray[Any]) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield the blocks of an array, each with the index of its first element."""
    for start in range(0, len(array), BLOCK):
        yield start, array[start : start + BLOCK]


def _borders(lengths: Ids, counts: Ids, k: Ids) -> tuple[Ids, Ids]:
    """Return where segment k of `counts` begins and ends in its document."""
    return k * lengths // counts, (k + 1) * lengths // counts
