"""Validation batches: predict every target of a part once."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from charrnn.data.batches import MULTIPLE, Batch, Rows, assemble, padded
from charrnn.data.segments import BLOCK, Segments, group, histogram
from charrnn.data.store import Part

SEGMENT: Final = 2048  #: longer documents are cut into segments of at most this size

WARM_UP: Final = 512  #: uncounted tokens before a segment, to build up the state

VALIDATION_WINDOW: Final = 256  #: time steps of a validation batch


def validation_batches(part: Part, *, rows: int = 64) -> Iterator[list[Batch]]:
    """Yield groups of batches that together predict every target of a part once.

    State is carried within a group and reset for the next. A document longer than
    SEGMENT is cut into segments that run in parallel. Each segment first reads WARM_UP
    uncounted tokens, so its state is close to that after the whole preceding text.
    """
    segments = Segments(part, SEGMENT)
    lengths = np.empty(len(segments.lengths), np.min_scalar_type(SEGMENT + WARM_UP))
    for first in range(0, len(lengths), BLOCK):
        block = slice(first, first + BLOCK)
        _, begins = segments.locate(np.arange(len(lengths))[block])
        lengths[block] = segments.lengths[block] + np.minimum(WARM_UP, begins)
    order = np.argsort(lengths, kind="stable")
    # group by the width of one batch, so that its logits have a bounded size
    widths = padded(histogram(np.minimum(lengths, VALIDATION_WINDOW)))
    for first, last in pairwise(group(widths, rows * VALIDATION_WINDOW)):
        chosen = order[first:last]
        starts, begins = segments.locate(chosen)
        warm = np.minimum(WARM_UP, begins)
        fresh = np.ones(len(chosen), bool)
        side_by_side = Rows(
            starts - warm, lengths[chosen].astype(np.int64), fresh, warm
        )
        yield list(_in_time(part, side_by_side))


def _in_time(part: Part, rows: Rows) -> Iterator[Batch]:
    """Cut rows into batches of one time window each."""
    for at in range(0, int(rows.lengths.max()), VALIDATION_WINDOW):
        now = Rows(
            rows.starts + at,
            np.clip(rows.lengths - at, 0, VALIDATION_WINDOW),
            rows.fresh & (at == 0),
            np.maximum(0, rows.skips - at),
        )
        carried = np.full(len(rows.starts), at > 0)
        yield assemble(part, now, carried, multiple=MULTIPLE)
