"""Spans of a part: its documents cut to a bounded length, and grouped by length.

There may be a hundred million documents. So a span costs a length of two bytes, and
where it starts is looked up when it is read; whatever looks at all of them goes in
blocks.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.tokenizers.base import Ids

BLOCK: Final = 1 << 16  #: documents or spans looked at together
SORTED_TOGETHER: Final = 1 << 21  #: spans sorted in one stroke

Lengths = npt.NDArray[np.unsignedinteger[Any]]


class Spans:
    """The documents of a part, cut into spans of at most `longest` targets.

    The spans of a document are about equally long. lengths: (S,), the targets of
    each, in order; an empty document has none.
    """

    def __init__(self, part: Part, longest: int) -> None:
        self._part = part
        self._longest = longest
        # counted first: put together from blocks, they would take twice the memory
        size = sum(int(self._counts(block).sum()) for _, block in _blocks(part.lengths))
        self.lengths: Lengths = np.empty(size, np.min_scalar_type(longest))
        # Documents of other than one span, and the first span of each. So as to begin
        # with one: a document -1 without a span.
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

    def locate(self, spans: Ids) -> tuple[Ids, Ids]:
        """Return where spans start in the part, and in their document."""
        place = np.searchsorted(self._firsts, spans, "right") - 1
        uneven = self._uneven[place]
        counts = np.where(uneven < 0, 0, self._counts(self._part.lengths[uneven]))
        k = spans - self._firsts[place]
        is_inside = k < counts
        # past the last uneven document, every document is one span
        document = np.where(is_inside, uneven, uneven + 1 + k - counts)
        length = self._part.lengths[document]
        inner = np.where(is_inside, k, 0)
        begin, _ = _borders(length, self._counts(length), inner)
        return self._part.starts[document] + begin, begin

    def _counts(self, lengths: Ids) -> Ids:
        """Return how many spans documents of such lengths are cut into."""
        return -(-lengths // self._longest)


def noisy_order(lengths: Lengths, rng: np.random.Generator) -> Ids:
    """Return the order of lengths, each made up to a tenth longer or shorter.

    Draws len(lengths) numbers. Equal to argsort(lengths * noise, kind="stable"), but
    sorts a range of lengths at a time, for which the noise is drawn anew: 4 bytes a
    length where that takes 36.
    """
    ranges = -(-len(lengths) // SORTED_TOGETHER)
    # where the ranges part matters for speed only: a sample with other noise will do
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
    """Return how often each length occurs, from 0 to the longest."""
    counts = np.zeros(int(lengths.max(initial=0)) + 1, np.int64)
    for _, block in _blocks(lengths):
        counts += np.bincount(block, minlength=len(counts))
    return counts


def group(counts: Ids, budget: int) -> Ids:
    """Cut rows sorted by length so that rows times the longest stays in a budget.

    counts: how many rows there are of each length, from 0 on. Returns the ranks where
    groups begin, and the end. A group has as many rows as it can, one at least.
    """
    cuts, first, end = [np.array([0])], 0, 0
    for length in np.flatnonzero(counts).tolist():
        most = max(1, budget // max(1, length))
        if end - first >= most:  # shorter rows, too many for one of this length
            cuts.append(np.array([end]))
            first = end
        end += int(counts[length])
        whole = (end - first) // most
        cuts.append(first + most * np.arange(1, whole + 1))
        first += most * whole
    if first < end:
        cuts.append(np.array([end]))
    return np.concatenate(cuts)


def _blocks(
    array: npt.NDArray[Any],
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield an array in blocks, each with the place of its first element."""
    for start in range(0, len(array), BLOCK):
        yield start, array[start : start + BLOCK]


def _borders(lengths: Ids, counts: Ids, k: Ids) -> tuple[Ids, Ids]:
    """Return where the k-th of so many spans begins and ends in its document."""
    return k * lengths // counts, (k + 1) * lengths // counts
