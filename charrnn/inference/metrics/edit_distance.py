"""Levenshtein distances of many pairs of sequences at once.

distance(i, j) of the first i symbols of one sequence and the first j of the other is
the least of

    distance(i - 1, j) + 1                       a symbol too many
    distance(i, j - 1) + 1                       a symbol too few
    distance(i - 1, j - 1) + (are different)     another symbol or the same

The table of each pair is filled row by row, for all pairs of a batch in parallel. In a
row, the second line links each entry to the one before. It is the running minimum of
distance - j, plus j.

Letters: P pairs, S and T longest sequence of each side.
"""

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from charrnn.inference.metrics.figure import Ids

Symbols = Sequence[Hashable]

BATCH: Final = 1 << 18  #: entries of a row, over all pairs of a batch


def edit_distances(first: Sequence[Symbols], second: Sequence[Symbols]) -> Ids:
    """Return the distance of each pair, (P,): fewest insertions, deletions, changes."""
    index: dict[Hashable, int] = {}
    ids, others = (
        [np.array([index.setdefault(x, len(index)) for x in row], int) for row in side]
        for side in (first, second)
    )
    lengths = [len(row) for row in ids], [len(row) for row in others]
    distances = np.zeros(len(ids), np.int64)
    # pairs of similar lengths make batches without much padding
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
