"""How far a run is, and its learning rate, as functions of the step.

Progress goes from 0 to 1 over a run. With a budget of steps it is a
straight line. With a time budget it is a chain of straight lines: each `Mark` sets a
new planned end from its step on. The marks are saved with the run, so everything that
depends on progress can be derived again.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

MEASURE_STEPS: Final = 4  #: steps of a time budget before its first plan
VALIDATIONS: Final = 10  #: in a run whose budget is steps or epochs
COLD_RATE: Final = 0.02  #: share of the peak rate at the very first step
FINAL_RATE: Final = 0.02  #: share of the peak rate that is always left


@dataclass(frozen=True)
class Mark:
    """From `step` on, the run goes from `progress` to 1 at step `total`.

    total: 0 if it is not known yet; then the progress stays. validations: their number
    from progress 0 to 1. rate: factor of the peak rate, below 1 after the run diverged.
    """

    step: int
    progress: float
    total: int
    validations: int
    rate: float = 1.0


@dataclass
class Schedule:
    """The marks of a run so far, and what follows from them."""

    marks: list[Mark] = field(default_factory=list)

    def progress(self, step: int) -> float:
        """Return the share of the run that is done before a step, in [0, 1]."""
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
        """Return the share of the peak rate that is left at a step."""
        mark = self._mark(step)
        return mark.rate if mark else 1.0

    def validates_after(self, step: int) -> bool:
        """Return whether a validation follows this step."""
        mark = self._mark(step)
        if mark is None:
            return False
        before, after = self.progress(step), self.progress(step + 1)
        return math.floor(before * mark.validations + 1e-9) < math.floor(
            after * mark.validations + 1e-9
        )

    @property
    def total(self) -> int:
        """Planned number of steps of the run; 0 without a plan."""
        return self.marks[-1].total if self.marks else 0

    @property
    def validations(self) -> int:
        """Planned number of validations; 0 without a plan."""
        return self.marks[-1].validations if self.marks else 0

    def plan(self, step: int, total: int, validations: int = 0) -> None:
        """Plan to end after `total` steps, from this step on."""
        progress = self.progress(step)
        validations = validations or self.validations or VALIDATIONS
        total = max(total, step + 1)
        self._add(Mark(step, progress, total, validations, self.rate(step)))

    def slow(self, step: int, rate: float) -> None:
        """Scale the peak rate by `rate` from this step on, under the same plan."""
        progress = self.progress(step)
        self._add(Mark(step, progress, self.total, self.validations, rate))

    def extend(self, step: int, total: int) -> None:
        """Start a second plan at progress 0 here, to end after `total` steps."""
        validations = self.validations or VALIDATIONS
        total = max(total, step + 1)
        self._add(Mark(step, 0.0, total, validations, self.rate(step)))

    def _add(self, mark: Mark) -> None:
        while self.marks and self.marks[-1].step >= mark.step:
            self.marks.pop()
        self.marks.append(mark)

    def _mark(self, step: int) -> Mark | None:
        later = bisect_right(self.marks, step, key=lambda mark: mark.step)
        return self.marks[later - 1] if later else None


def learning_rate(progress: float, *, peak: float, warmup: float, shape: str) -> float:
    """Return the rate at a progress: a linear warm-up, then the shape's decay."""
    rise = min(1.0, COLD_RATE + progress / warmup) if warmup else 1.0
    share = max(0.0, (progress - warmup) / (1 - warmup))
    if shape == "constant":
        fall = 1.0
    elif shape == "linear":
        fall = 1 - share
    else:
        fall = (1 + math.cos(math.pi * share)) / 2
    return peak * rise * max(fall, FINAL_RATE)
