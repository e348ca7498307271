"""How long a step takes lately, and hence how many fit into a time."""

import math
from typing import Final

from charrnn.training.loop.schedule import MEASURE_STEPS

REPLAN_S: Final = 2.0  #: how often a time budget is replanned by the clock
MAX_PLANS: Final = 1000  #: of a long time budget, since every plan is kept


class StepTimer:
    """The speed of this process; a resumed run may have moved to another machine."""

    def __init__(self) -> None:
        self._steps = 0
        self._step_s = math.nan
        self._planned_at = -math.inf

    def note(self, seconds: float) -> None:
        """Note how long a step took."""
        self._steps += 1
        if self._steps <= 2:
            self._step_s = seconds  # the first ones also allocate and compile
        else:
            self._step_s += 0.05 * (seconds - self._step_s)

    def scale(self, factor: float) -> None:
        """Expect the next steps to take this many times as long."""
        self._step_s *= factor

    def replan_due(self, now: float, budget_s: float) -> bool:
        """Tell whether it is time to replan a time budget, and remember when."""
        pause_s = max(REPLAN_S, budget_s / MAX_PLANS)
        if self._steps < MEASURE_STEPS or now - self._planned_at < pause_s:
            return False
        self._planned_at = now
        return True

    def time_of(self, steps: float) -> float:
        """Return the seconds that a number of steps takes."""
        return steps * self._step_s

    def steps_in(self, seconds: float, cost: float) -> int:
        """Return how many steps of `cost` times the current length fit, at least 1."""
        return max(1, round(seconds / (self._step_s * cost)))
