"""Measure how long recent steps took, and estimate how many fit into a given time."""

import math
from typing import Final

from charrnn.training.loop.schedule import MEASURE_STEPS

REPLAN_S: Final = 2.0  #: shortest time between plans of a time budget
MAX_PLANS: Final = 1000  #: limited, because every plan is saved


class StepTimer:
    """Measures the speed of this process.

    It is not saved, because a resumed run may be on a different machine.
    """

    def __init__(self) -> None:
        self._steps = 0
        self._step_s = math.nan
        self._planned_at = -math.inf

    def note(self, seconds: float) -> None:
        """Record how long a step took."""
        self._steps += 1
        if self._steps <= 2:
            self._step_s = seconds  # the first step also allocates and compiles
        else:
            self._step_s += 0.05 * (seconds - self._step_s)

    def scale(self, factor: float) -> None:
        """Expect the next steps to take `factor` times as long."""
        self._step_s *= factor

    def replan_due(self, now: float, budget_s: float) -> bool:
        """Return whether to replan a time budget now; if so, remember the time."""
        pause_s = max(REPLAN_S, budget_s / MAX_PLANS)
        if self._steps < MEASURE_STEPS or now - self._planned_at < pause_s:
            return False
        self._planned_at = now
        return True

    def time_of(self, steps: float) -> float:
        """Return how many seconds a number of steps takes."""
        return steps * self._step_s

    def steps_in(self, seconds: float, cost: float) -> int:
        """Return how many steps fit into a time, at least 1.

        cost: duration of a step, relative to recent ones.
        """
        return max(1, round(seconds / (self._step_s * cost)))
