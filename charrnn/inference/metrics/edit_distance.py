"""Levenshtein distances of many pairs of sequences at once.

distance(i, j), between the first i symbols of one sequence and the first j symbols of
the other, is the minimum of three values:

    distance(i - 1, j) + 1                       deletion of a symbol
    distance(i, j - 1) + 1                       insertion of a symbol
    distance(i - 1, j - 1) + (are different)     replacement or match

The table of each pair is filled row by row, for all pairs of a batch in parallel. In a
row, insertions make each entry depend on the entry before it. A running minimum of
distance - j, plus j, computes the whole row at once.

Letters: P pairs, S and T longest sequence of each side.
"""

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from charrnn.inference.metrics.figure import Ids

Symbols = Sequence[Hashable]

BATCH: Final = 1 << 18  #: maximum entries of a row, over all pairs of a batch


def edit_distances(first: Sequence[Symbols], second: Sequence[Symbols]) -> Ids:
    """Return each pair's distance, (P,): insertions, deletions and replacements."""
    index: dict[Hashable, int] = {}
    ids, others = (
        [np.array([index.setdefault(x, len(index)) for x in row], int) for row in side]
        for side in (first, second)
    )
    lengths = [len(row) for row in ids], [len(row) for row in others]
    distances = np.zeros(len(ids), np.int64)
    # batches of pairs with similar lengths need little padding
    waiting = np.lexsort(lengths).tolist()
    while waiting:
        size = max(1, BATCH // (lengths[0][waiting[-1]] + 1))
        batch, waiting = waiting[-size:], waiting[:-size]
        pairs = ([ids[k] for k in batch], [others[k] for k in batch])
        distances[batch] = _distances(*pairs)
    return distances


def _distances(first: Sequence[Ids], second: Sequence[Ids]) -> Ids:
    rows, others = _padded(first, -1), _padded(second, -2)
    pairs, lengths = np.arange(len(first)), np.array([len(row) for row in first])
    other_lengths = np.array([len(row) for row in second])
    j = np.arange(rows.shape[1] + 1)
    row = np.repeat(j[None], len(first), axis=0)
    distances = row[pairs, lengths]
    for i, symbols in enumerate(others.T, 1):
        below = row[:, :-1] + (rows != symbols[:, None])
        row[:, 1:] = np.minimum(row[:, 1:] + 1, below)
        row[:, 0] = i
        row = np.minimum.accumulate(row - j, axis=1) + j
        is_last = other_lengths == i
        distances[is_last] = row[is_last, lengths[is_last]]
    return np.asarray(distances)


def _padded(sequences: Sequence[Ids], fill: int) -> npt.NDArray[np.int64]:
    padded = np.full((len(sequences), max(map(len, sequences))), fill, np.int64)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded
