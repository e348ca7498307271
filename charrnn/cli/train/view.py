"""The live view of a training run.

A terminal shows a line for each validation, a sample of the model's text, and a
progress bar below them. Without a terminal, a plain line is written every 30 seconds
and at each validation. With --json, one line per event is written to stdout.
"""

import contextlib
import math
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from charrnn.cli import console
from charrnn.cli.train.lines import Describe, clock, lines_of
from charrnn.errors import ResourceError
from charrnn.tasks import TASKS
from charrnn.training.events import Event, StartEvent, StepEvent, ValidationEvent

PLAIN_EVERY_S: Final = 30.0
SPEED_STEPS: Final = 50
COLUMNS: Final = 110  #: the width of a line if there is no terminal


class View:
    """The base class of views, which shows nothing; used with --quiet."""

    def show(self, event: Event) -> None:
        """Show an event."""


class JsonView(View):
    """Writes each event to stdout as a line of JSON, until the reader closes stdout."""

    def __init__(self) -> None:
        self._failed: Exception | None = None

    def show(self, event: Event) -> None:
        """Write the event."""
        if self._failed:
            return
        try:
            console.write_json(event.to_json())
        except (console.ReaderGoneError, ResourceError) as error:
            self._failed = error  # training continues

    def close(self) -> None:
        """Raise ResourceError if the lines could not be written."""
        if isinstance(self._failed, ResourceError):
            raise self._failed


class PlainView(View):
    """Writes plain lines to stderr, at least one about every 30 seconds."""

    def __init__(self) -> None:
        self._figures = Figures()
        self._describe: Describe = str
        self._shown_at_s = -math.inf
        self._columns = COLUMNS

    def show(self, event: Event) -> None:
        """Write the lines of an event."""
        if isinstance(event, StartEvent):
            self._describe = TASKS[event.task].describe
        self._figures.update(event)
        for line in lines_of(event, self._columns, self._describe):
            self.write(line)
            self._shown_at_s = event.elapsed_s
        if isinstance(event, StepEvent):
            self.show_progress(event)

    def show_progress(self, step: StepEvent) -> None:
        """Write a line if none has been written for a while."""
        if step.elapsed_s - self._shown_at_s > PLAIN_EVERY_S:
            self.write(f"{clock(step.elapsed_s):>7}  {self._figures.line}")
            self._shown_at_s = step.elapsed_s

    def write(self, line: str) -> None:
        """Write one line."""
        console.log(line)


class LiveView(PlainView):
    """Keeps a progress bar at the bottom of the terminal; writes lines above it."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar
        self._columns = bar.console.width
        self._task = bar.add_task("", total=1.0)

    def show_progress(self, step: StepEvent) -> None:
        """Update the bar."""
        self._bar.update(
            self._task, completed=step.progress, description=self._figures.line
        )

    def write(self, line: str) -> None:
        """Write one line above the bar."""
        text = console.visible(line)
        # without soft_wrap, rich would break lines between words
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def make_view(*, json: bool, quiet: bool) -> Iterator[View]:
    """Open the view that suits the options and the output stream."""
    if json:
        view = JsonView()
        yield view
        view.close()
    elif quiet:
        yield View()
    elif not console.has_colour(sys.stderr):
        yield PlainView()
    else:
        with _bar() as bar:
            yield LiveView(bar)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    terminal = Console(stderr=True)
    bar = (BarColumn(24), TaskProgressColumn()) if terminal.width >= 90 else ()
    return Progress(
        *bar, TextColumn("{task.description}"), console=terminal, transient=True
    )


class Figures:
    """The figures that the bar and the plain lines show."""

    def __init__(self) -> None:
        self.line = ""
        self._unit = ""  #: the unit of the loss that is shown
        self._per_nat = 1.0  #: the factor from nats per token to this unit
        self._brief: Describe = str
        self._valid = ""
        self._budget_s = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=SPEED_STEPS)

    def update(self, event: Event) -> None:
        """Update the figures from an event."""
        if isinstance(event, StartEvent):
            self._brief = TASKS[event.task].brief
            self._unit, self._per_nat = event.loss_unit, event.per_nat
            self._budget_s = event.training.get("time_s", 0.0)
        elif isinstance(event, ValidationEvent):
            self._valid = f" · valid {self._brief(event.metrics)}"
        elif isinstance(event, StepEvent):
            self._recent.append((event.elapsed_s, event.tokens))
            seconds = self._recent[-1][0] - self._recent[0][0]
            tokens = sum(count for _, count in self._recent) - self._recent[0][1]
            speed = tokens / seconds if seconds > 0 else 0.0
            self.line = (
                f"{clock(self._left_s(event, seconds))} left"
                f" · train {event.smoothed_nats * self._per_nat:.3f} {self._unit}"
                f"{self._valid} · {speed:,.0f} tokens/s"
            )

    def _left_s(self, step: StepEvent, seconds: float) -> float:
        """Estimate the time left from the seconds that the recent steps took."""
        steps = len(self._recent) - 1
        if not steps or not step.planned_steps:
            return self._budget_s - step.elapsed_s if self._budget_s else math.nan
        # later steps can take longer than the recent ones
        return (step.planned_steps - step.step) * step.cost_ahead * seconds / steps
