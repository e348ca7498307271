"""How long a network may train: by the clock, in epochs or in steps."""

import math
from collections.abc import Mapping
from typing import Any, Final

from charrnn.errors import UsageError
from charrnn.fields import flag

BUDGETS: Final = ("time_s", "epochs", "steps")


def check_budget(training: Mapping[str, Any]) -> None:
    """Raise UsageError unless at most one budget is given, and that is one."""
    given = [name for name in BUDGETS if name in training]
    if len(given) > 1:
        raise UsageError(
            "more than one of --time, --epochs and --steps is given",
            hint="a run has one budget: give one of them",
        )
    for name in given:
        if not 0 < training[name] < math.inf:
            raise UsageError(
                f"{flag(name)} is {training[name]:g}, not a number above 0"
            )
