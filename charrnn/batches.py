"""Training and validation batches: a pure function of (part, plan, step).

Two ways to cut a part of the corpus into batches, chosen by how long its documents are:

- `Streams`, for long documents: B contiguous streams, cut into windows of T tokens,
  whose state is carried from one batch to the next. Each epoch cuts at another phase.
- `Documents`, for short ones: every row is a whole document, grouped by length, so
  that the state starts anew at each and little of a batch is padding.

The boundary token means "the past is unknown": a row that starts in the middle of a
document reads it in place of the token before.

Shape letters: B batch, T time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from charrnn.store import MANY_DOCUMENTS, Part
from charrnn.tokenizers.base import BOUNDARY, Ids

IGNORE: Final = -1  #: a target that is not predicted: padding, or warm-up
SEGMENT: Final = 2048  #: validation cuts longer documents into pieces of this size
WARM_UP: Final = 512  #: uncounted tokens that a piece reads first, to find its state
VALIDATION_WINDOW: Final = 256  #: time steps of a validation batch
MULTIPLE: Final = 8  #: rows of whole documents are padded to one of its multiples
STATE_DROP: Final = 0.01  #: share of windows that forget the past (Melis et al. 2018)


@dataclass(frozen=True)
class Batch:
    """Inputs and targets (T, B) int64, and which rows go on from the last batch."""

    inputs: Ids
    targets: Ids
    carried: npt.NDArray[np.bool_]

    @property
    def tokens(self) -> int:
        """How many targets are predicted."""
        return int((self.targets != IGNORE).sum())


@dataclass(frozen=True)
class Row:
    """`length` targets of a part, the first of them at tokens[start + 1].

    fresh: read the boundary in place of tokens[start]. skip: leave out that many
    targets at the beginning, which are only read.
    """

    start: int
    length: int
    fresh: bool = False
    skip: int = 0


class Batches(Protocol):
    """Batches of an endless run over a part."""

    steps_per_epoch: int

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""


def training_batches(part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
    """Return the batches that suit the length of the part's documents."""
    if are_short(part, bptt):
        return Documents(part, batch=batch, bptt=bptt, seed=seed)
    return Streams(part, batch=batch, bptt=bptt, seed=seed)


def are_short(part: Part, bptt: int) -> bool:
    """Say whether documents are many and nearly all at most four windows long."""
    if len(part.lengths) < MANY_DOCUMENTS:
        return False
    return float(np.quantile(part.lengths, 0.95)) <= 4 * bptt


class Streams:
    """Contiguous streams with carried state, for long documents."""

    def __init__(self, part: Part, *, batch: int, bptt: int, seed: int) -> None:
        self._part = part
        self._bptt = bptt
        self._seed = seed
        whole = -(-part.lengths // bptt)  # windows, if all but the last are full
        rest = part.lengths - (whole - 1) * bptt  # length of the last one then
        # The first window of a document is as long as its phase. No window is empty
        # where `rest` <= phase <= bptt, or with one window more where phase < rest;
        # of the two, the wider range.
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
        rows = []
        for b in range(self._batch):
            first = b * self._windows // self._batch
            last = (b + 1) * self._windows // self._batch
            if first + k < last:
                window = (first + k + rotation) % self._windows
                is_fresh = k == 0 or bool(drops[b] < STATE_DROP)
                rows.append(self._window(window, phase, fresh=is_fresh))
            else:
                rows.append(Row(0, 0, fresh=True))
        carried = np.array([not row.fresh for row in rows])
        return assemble(self._part, rows, carried)

    def _window(self, window: int, phase: float, *, fresh: bool) -> Row:
        """Return a window of the part; `phase` is a share of the possible ones."""
        document = int(np.searchsorted(self._first, window, "right")) - 1
        k = window - int(self._first[document])
        length = int(self._part.lengths[document])
        shift = int(phase * self._phases[document])
        first_end = int(self._least_phase[document]) + shift
        begin = first_end + (k - 1) * self._bptt if k else 0
        end = min(first_end + k * self._bptt, length)
        # a first window shorter than the others ends in padding, which its state read
        is_cut_off = k == 0 or (k == 1 and first_end < self._bptt)
        start = int(self._part.starts[document]) + begin
        return Row(start, end - begin, fresh=fresh or is_cut_off)


class Documents:
    """Whole documents as rows, grouped by length; each starts from no state."""

    def __init__(self, part: Part, *, batch: int, bptt: int, seed: int) -> None:
        self._part = part
        self._seed = seed
        longest = 4 * bptt
        self._starts, self._lengths, _ = _cut(part, longest)
        # batch j always holds the ranks cuts[j]:cuts[j+1] of the documents by length
        self._cuts = _cuts(_padded(np.sort(self._lengths)), batch * bptt)
        self.steps_per_epoch = len(self._cuts) - 1

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, k = divmod(step, self.steps_per_epoch)
        by_length, order = self._epoch(epoch)
        chosen = by_length[self._cuts[order[k]] : self._cuts[order[k] + 1]]
        rows = [
            Row(int(self._starts[i]), int(self._lengths[i]), fresh=True) for i in chosen
        ]
        return assemble(self._part, rows, np.zeros(len(rows), bool), multiple=MULTIPLE)

    @lru_cache(maxsize=1)  # noqa: B019 - one object a run
    def _epoch(self, epoch: int) -> tuple[Ids, Ids]:
        rng = np.random.default_rng([self._seed, epoch])
        # a little noise, so that documents of like length meet in new company
        noise = rng.uniform(0.9, 1.1, len(self._lengths))
        by_length = np.argsort(self._lengths * noise, kind="stable")
        return by_length, rng.permutation(self.steps_per_epoch)


def validation_batches(part: Part, *, rows: int = 64) -> Iterator[list[Batch]]:
    """Yield groups of batches that together predict every target of a part once.

    State is carried within a group and starts anew with the next. A document longer
    than SEGMENT is cut into pieces that run side by side; each first reads WARM_UP
    tokens that are not counted, which brings its state to what it would have been
    (test_evaluate.py has the difference).
    """
    starts, lengths, begins = _cut(part, SEGMENT)
    warm = np.minimum(WARM_UP, begins)
    starts, lengths = starts - warm, lengths + warm
    order = np.argsort(lengths, kind="stable")
    # by what is in one batch, so that its logits have a bounded size
    widths = _padded(np.minimum(lengths[order], VALIDATION_WINDOW))
    for first, last in pairwise(_cuts(widths, rows * VALIDATION_WINDOW)):
        pieces = [
            Row(int(starts[i]), int(lengths[i]), fresh=True, skip=int(warm[i]))
            for i in order[first:last]
        ]
        yield list(_in_time(part, pieces))


def _in_time(part: Part, rows: list[Row]) -> Iterator[Batch]:
    """Cut rows that run side by side into batches of a window of time each."""
    window = VALIDATION_WINDOW
    for at in range(0, max(row.length for row in rows), window):
        now = [
            Row(
                row.start + at,
                max(0, min(window, row.length - at)),
                fresh=row.fresh and at == 0,
                skip=max(0, row.skip - at),
            )
            for row in rows
        ]
        yield assemble(part, now, np.full(len(rows), at > 0), multiple=MULTIPLE)


def assemble(
    part: Part, rows: list[Row], carried: npt.NDArray[np.bool_], *, multiple: int = 1
) -> Batch:
    """Return the rows as one batch, padded to the longest row.

    T is rounded up to a `multiple`, so that a kernel meets few different shapes.
    """
    longest = max(1, *(row.length for row in rows)) if rows else 1
    T = -(-longest // multiple) * multiple
    inputs = np.full((len(rows), T), BOUNDARY, np.int64)
    targets = np.full((len(rows), T), IGNORE, np.int64)
    for b, row in enumerate(rows):
        window = part.tokens[row.start : row.start + row.length + 1]
        inputs[b, : row.length] = window[: row.length]
        targets[b, row.skip : row.length] = window[1 + row.skip : row.length + 1]
        if row.fresh:
            inputs[b, 0] = BOUNDARY
    inputs, targets = (np.ascontiguousarray(x.T) for x in (inputs, targets))
    return Batch(inputs, targets, carried)


def _cut(part: Part, longest: int) -> tuple[Ids, Ids, Ids]:
    """Cut documents into pieces of at most `longest` targets, of about equal size.

    Returns each piece's start and length, and how far into its document it begins.
    """
    pieces = -(-part.lengths // longest)
    document = np.repeat(np.arange(len(pieces)), pieces)
    k = np.arange(len(document)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    length, count = part.lengths[document], pieces[document]
    begin, end = k * length // count, (k + 1) * length // count
    return part.starts[document] + begin, end - begin, begin


def _padded(lengths: Ids) -> Ids:
    """Return the lengths of rows after padding."""
    return -(-lengths // MULTIPLE) * MULTIPLE


def _cuts(lengths: Ids, budget: int) -> Ids:
    """Cut sorted lengths so that rows times longest row stays within `budget`."""
    cuts = [0]
    while cuts[-1] < len(lengths):
        first = cuts[-1]
        # the longest n with n * lengths[first + n - 1] <= budget, at least 1
        candidates = lengths[first : first + budget + 1]
        cost = np.arange(1, len(candidates) + 1) * candidates
        cuts.append(first + max(1, int(np.searchsorted(cost, budget, "right"))))
    return np.array(cuts)
