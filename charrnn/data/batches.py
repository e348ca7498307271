"""Training and validation batches: a pure function of (part, plan, step).

A part of the corpus is cut into batches in one of two ways, depending on how long its
documents are:

- `Streams`, for long documents: B contiguous streams, cut into windows of T tokens,
  with state carried from batch to batch. Each epoch cuts at a different offset.
- `Documents`, for short ones: every row is a whole document, so it starts from the
  initial state. Rows are grouped by length, so batches contain little padding.

The boundary token means "the past is unknown": a row that starts in the middle of a
document reads it in place of the preceding token.

Shape letters: B batch, T time.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from charrnn.data.segments import Segments, group, histogram, noisy_order
from charrnn.data.store import MANY_DOCUMENTS, Part
from charrnn.tokenizers.base import BOUNDARY, Ids

IGNORE: Final = -1  #: marks a target that is not predicted: padding or warm-up

MULTIPLE: Final = 8  #: rows of whole documents are padded to a multiple of this

STATE_DROP: Final = 0.01  #: share of windows with a reset state (Melis et al. 2018)


@dataclass(frozen=True)
class Batch:
    """Inputs and targets (T, B) int64, and which rows (B,) continue the last batch.

    source: what the outputs depend on, (S, B), padded at the end; None for a language
    model. lengths: the number of source tokens in each row, (B,).
    """

    inputs: Ids
    targets: Ids
    carried: npt.NDArray[np.bool_]
    source: Ids | None = None
    lengths: Ids | None = None

    @property
    def tokens(self) -> int:
        """The number of predicted targets."""
        return int((self.targets != IGNORE).sum())

    @property
    def longest(self) -> int:
        """The number of tokens in a row, with padding."""
        return len(self.inputs) + (0 if self.source is None else len(self.source))

    @property
    def inputs_read(self) -> tuple[Ids, Ids]:
        """The source and its lengths, for labelled data."""
        assert self.source is not None
        assert self.lengths is not None
        return self.source, self.lengths

    def rows(self, chosen: slice) -> "Batch":
        """Return some of the rows as a batch."""
        return Batch(
            self.inputs[:, chosen],
            self.targets[:, chosen],
            self.carried[chosen],
            None if self.source is None else self.source[:, chosen],
            None if self.lengths is None else self.lengths[chosen],
        )


@dataclass(frozen=True)
class Rows:
    """Rows of a batch: row b has lengths[b] targets, from tokens[starts[b] + 1] on.

    fresh: whether a row reads the boundary in place of tokens[start]. skips: how many
    targets at its beginning are read but not predicted. All arrays have shape (B,).
    """

    starts: Ids
    lengths: Ids
    fresh: npt.NDArray[np.bool_]
    skips: Ids


class Batches(Protocol):
    """An endless sequence of batches of a part."""

    steps_per_epoch: int

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""


def training_batches(part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
    """Return the kind of batches that suits the lengths of the documents."""
    if are_short(part, bptt):
        return Documents(part, batch=batch, bptt=bptt, seed=seed)
    return Streams(part, batch=batch, bptt=bptt, seed=seed)


def are_short(part: Part, bptt: int) -> bool:
    """Return whether there are many documents, nearly all at most four windows long."""
    if len(part.lengths) < MANY_DOCUMENTS:
        return False
    short = int(np.count_nonzero(part.lengths <= 4 * bptt))
    return short >= 0.95 * len(part.lengths)


class Streams:
    """Contiguous streams with carried state, for long documents."""

    def __init__(self, part: Part, *, batch: int, bptt: int, seed: int) -> None:
        self._part = part
        self._bptt = bptt
        self._seed = seed
        whole = -(-part.lengths // bptt)  # windows if all but the last are full
        rest = part.lengths - (whole - 1) * bptt  # length of that last window
        # The first window of a document is as long as its phase. No window is empty if
        # `rest` <= phase <= bptt, or, with one more window, if phase < `rest`. The
        # wider of these two ranges is used.
        one_more = (whole > 1) & (rest - 1 > bptt - rest + 1)
        self._least_phase = np.where(one_more, 1, rest)
        self._phases = np.where(one_more, rest - 1, bptt - rest + 1)
        self._first = np.concatenate([[0], np.cumsum(whole + one_more)])
        self._windows = int(self._first[-1])
        self._batch = min(batch, self._windows)
        self.steps_per_epoch = -(-self._windows // self._batch)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, k = divmod(step, self.steps_per_epoch)
        rng = np.random.default_rng([self._seed, epoch])
        phase, rotation = rng.random(), int(rng.integers(self._windows))
        drops = np.random.default_rng([self._seed, epoch, k]).random(self._batch)
        borders = np.arange(self._batch + 1) * self._windows // self._batch
        windows = borders[:-1] + k
        is_there = windows < borders[1:]
        fresh = (k == 0) | (drops < STATE_DROP)
        rows = self._rows((windows + rotation) % self._windows, phase, is_there, fresh)
        return assemble(self._part, rows, ~rows.fresh)

    def _rows(
        self,
        windows: Ids,
        phase: float,
        is_there: npt.NDArray[np.bool_],
        fresh: npt.NDArray[np.bool_],
    ) -> Rows:
        """Return the given windows (B,) of the part, cut at a phase in [0, 1).

        Example: one document with targets 1 to 10, and bptt 4:
        phase 0.0    1-2  3-6    7-10
        phase 0.9    1-4  5-8    9-10
        """
        document = np.searchsorted(self._first, windows, "right") - 1
        k = windows - self._first[document]
        shift = (phase * self._phases[document]).astype(np.int64)
        first_end = self._least_phase[document] + shift
        begin = np.where(k > 0, first_end + (k - 1) * self._bptt, 0)
        end = np.minimum(first_end + k * self._bptt, self._part.lengths[document])
        # After a short first window, the state has read padding, so it is not carried.
        is_cut_off = (k == 0) | ((k == 1) & (first_end < self._bptt))
        return Rows(
            self._part.starts[document] + begin,
            np.where(is_there, end - begin, 0),
            fresh | is_cut_off | ~is_there,
            np.zeros_like(begin),
        )


class Documents:
    """Whole documents as rows, grouped by length, each from the initial state."""

    def __init__(self, part: Part, *, batch: int, bptt: int, seed: int) -> None:
        self._part = part
        self._seed = seed
        self._segments = Segments(part, 4 * bptt)
        # batch j always holds ranks cuts[j]:cuts[j+1] of the segments sorted by length
        self._cuts = group(padded(histogram(self._segments.lengths)), batch * bptt)
        self.steps_per_epoch = len(self._cuts) - 1

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, k = divmod(step, self.steps_per_epoch)
        by_length, order = self._epoch(epoch)
        ranks = slice(self._cuts[order[k]], self._cuts[order[k] + 1])
        chosen = by_length[ranks].astype(np.int64)
        starts, _ = self._segments.locate(chosen)
        lengths = self._segments.lengths[chosen].astype(np.int64)
        fresh = np.ones(len(chosen), bool)
        rows = Rows(starts, lengths, fresh, np.zeros_like(starts))
        return assemble(self._part, rows, ~fresh, multiple=MULTIPLE)

    @lru_cache(maxsize=1)  # noqa: B019 - one object per run
    def _epoch(self, epoch: int) -> tuple[Ids, Ids]:
        rng = np.random.default_rng([self._seed, epoch])
        # Random noise varies which documents of similar length share a batch.
        by_length = noisy_order(self._segments.lengths, rng)
        return by_length, rng.permutation(self.steps_per_epoch)


def assemble(
    part: Part, rows: Rows, carried: npt.NDArray[np.bool_], *, multiple: int = 1
) -> Batch:
    """Return the rows as one batch, padded to the longest row.

    T is rounded up to a multiple of `multiple`, so kernels see few different shapes.
    """
    longest = max(1, int(rows.lengths.max(initial=0)))
    t = np.arange(-(-longest // multiple) * multiple)[:, None]
    # (T, B); positions beyond the part are padding, so any value will do
    places = np.minimum(rows.starts + t, len(part.tokens) - 2)
    is_input = t < rows.lengths
    is_input[0] &= ~rows.fresh
    is_target = (t >= rows.skips) & (t < rows.lengths)
    inputs = np.where(is_input, part.tokens[places].astype(np.int64), BOUNDARY)
    targets = np.where(is_target, part.tokens[places + 1].astype(np.int64), IGNORE)
    return Batch(inputs, targets, carried)


def padded(counts: Ids) -> Ids:
    """Return the number of rows of each length after padding, given those before it."""
    lengths = -(-np.arange(len(counts)) // MULTIPLE) * MULTIPLE
    return np.bincount(lengths, counts).astype(np.int64)
