"""Progress and learning rate of a run, as functions of the step.

Progress rises from 0 to 1. With a budget of steps, it is linear; with a time budget, it
is piecewise linear, because each `Mark` sets a new planned end. Marks are saved with
the run, so a resumed run has the same schedule.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

MEASURE_STEPS: Final = 4  #: steps to time before the first plan of a time budget
VALIDATIONS: Final = 10  #: their number in runs with a budget of steps or epochs
COLD_RATE: Final = 0.02  #: fraction of the peak rate at the first step
FINAL_RATE: Final = 0.02  #: smallest fraction of the peak rate during decay


@dataclass(frozen=True)
class Mark:
    """From `step` on, progress rises linearly from `progress` to 1 at step `total`.

    total: 0 if unknown; progress then stays constant. validations: the number of
    validations from progress 0 to 1. rate: a factor for the peak rate; it is below 1
    after the run has diverged.
    """

    step: int
    progress: float
    total: int
    validations: int
    rate: float = 1.0


@dataclass
class Schedule:
    """The marks of a run, and the progress and rate that they define."""

    marks: list[Mark] = field(default_factory=list)

    def progress(self, step: int) -> float:
        """Return the fraction of the run completed before a step, in [0, 1]."""
        mark = self._mark(step)
        if mark is None:
            return 0.0
        if not mark.total:
            return mark.progress
        if step >= mark.total:
            return 1.0
        share = (step - mark.step) / (mark.total - mark.step)
        return mark.progress + (1 - mark.progress) * share

    def rate(self, step: int) -> float:
        """Return the factor for the peak rate at a step."""
        mark = self._mark(step)
        return mark.rate if mark else 1.0

    def validates_after(self, step: int) -> bool:
        """Return whether a validation follows this step."""
        mark = self._mark(step)
        if mark is None:
            return False
        before, after = (
            math.floor(self.progress(at) * mark.validations + 1e-9)
            for at in (step, step + 1)
        )
        return before < after

    @property
    def total(self) -> int:
        """The planned number of steps of the run, or 0 without a plan."""
        return self.marks[-1].total if self.marks else 0

    @property
    def validations(self) -> int:
        """The planned number of validations, or 0 without a plan."""
        return self.marks[-1].validations if self.marks else 0

    def plan(self, step: int, total: int, validations: int = 0) -> None:
        """From this step on, plan to end after `total` steps."""
        self._plan(step, self.progress(step), total, validations)

    def slow(self, step: int, rate: float) -> None:
        """From this step on, scale the peak rate by `rate` under the same plan."""
        progress = self.progress(step)
        self._add(Mark(step, progress, self.total, self.validations, rate))

    def extend(self, step: int, total: int) -> None:
        """Restart at progress 0 at this step, and plan to end after `total` steps."""
        self._plan(step, 0.0, total)

    def _plan(
        self, step: int, progress: float, total: int, validations: int = 0
    ) -> None:
        validations = validations or self.validations or VALIDATIONS
        total = max(total, step + 1)
        self._add(Mark(step, progress, total, validations, self.rate(step)))

    def _add(self, mark: Mark) -> None:
        while self.marks and self.marks[-1].step >= mark.step:
            self.marks.pop()
        self.marks.append(mark)

    def _mark(self, step: int) -> Mark | None:
        later = bisect_right(self.marks, step, key=lambda mark: mark.step)
        return self.marks[later - 1] if later else None


def learning_rate(progress: float, *, peak: float, warmup: float, shape: str) -> float:
    """Return the learning rate: a linear warmup, then a decay of the given shape."""
    rise = min(1.0, COLD_RATE + progress / warmup) if warmup else 1.0
    share = max(0.0, (progress - warmup) / (1 - warmup))
    if shape == "constant":
        fall = 1.0
    elif shape == "linear":
        fall = 1 - share
    else:
        fall = (1 + math.cos(math.pi * share)) / 2
    return peak * rise * max(fall, FINAL_RATE)
