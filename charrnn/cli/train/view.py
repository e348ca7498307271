"""What a person sees while a model trains.

At a terminal a live bar, and above it a line for each validation and a sample of what
the model writes by now. Elsewhere one plain line now and then; with --json one line an
event on stdout.
"""

import contextlib
import math
import sys
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.cli.train.lines import clock, figure, lines_of
from charrnn.errors import ResourceError

if TYPE_CHECKING:
    from charrnn.training.events import Event

PLAIN_EVERY_S: Final = 30.0
SPEED_STEPS: Final = 50
COLUMNS: Final = 110  #: of a line where there is no terminal


class View:
    """Shows nothing: the base of the others, and what --quiet gets."""

    def show(self, event: "Event") -> None:
        """Show an event."""


class JsonView(View):
    """Writes each event to stdout as a line of JSON, as long as somebody reads."""

    def __init__(self) -> None:
        self._failed: Exception | None = None

    def show(self, event: "Event") -> None:
        """Write the event."""
        if self._failed:
            return
        try:
            console.write_json(event.to_json())
        except (console.ReaderGoneError, ResourceError) as error:
            self._failed = error  # training goes on

    def close(self) -> None:
        """Raise ResourceError if the lines could not be written."""
        if isinstance(self._failed, ResourceError):
            raise self._failed


class PlainView(View):
    """Writes a plain line to stderr at each validation, and now and then between."""

    def __init__(self) -> None:
        self._figures = Figures()
        self._said_at_s = -math.inf
        self._columns = COLUMNS

    def show(self, event: "Event") -> None:
        """Write the lines of an event."""
        self._figures.note(event)
        for line in lines_of(event, self._columns):
            self.say(line)
            self._said_at_s = event.elapsed_s
        if event.kind == "step" and event.elapsed_s - self._said_at_s > PLAIN_EVERY_S:
            self.say(f"{clock(event.elapsed_s):>7}  {self._figures.line}")
            self._said_at_s = event.elapsed_s

    def say(self, line: str) -> None:
        """Write one line."""
        console.say(line)


class LiveView(PlainView):
    """Keeps a bar at the bottom of the terminal, and writes lines above it."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar
        self._columns = bar.console.width
        self._task = bar.add_task("", total=1.0)

    def show(self, event: "Event") -> None:
        """Write the lines of an event, and move the bar."""
        super().show(event)
        if event.kind == "step":
            self._said_at_s = event.elapsed_s  # the bar says it
            self._bar.update(
                self._task,
                completed=event.values["progress"],
                description=self._figures.line,
            )

    def say(self, line: str) -> None:
        """Write one line above the bar."""
        text = console.visible(line)
        # without wrapping of its own: rich would cut words at the first column
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def make_view(*, json: bool, quiet: bool) -> Iterator[View]:
    """Open the view that suits where the output goes."""
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
    """The figures that the bar and the plain lines say."""

    def __init__(self) -> None:
        self.line = ""
        self.bits_a_nat = 1 / math.log(2)  #: bits a character for a nat a token
        self._valid = ""
        self._budget_s = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=SPEED_STEPS)

    def note(self, event: "Event") -> None:
        """Take in what an event says."""
        values = event.values
        if event.kind == "start":
            self.bits_a_nat = values["tokens_per_char"] / math.log(2)
            self._budget_s = values["training"].get("time_s", 0.0)
        elif event.kind == "validation":
            self._valid = f" · valid {figure(values['bits_per_char'])}"
        elif event.kind == "step":
            self._recent.append((event.elapsed_s, values["tokens"]))
            loss = values["smoothed_nats"] * self.bits_a_nat
            left = clock(self._left_s(event))
            self.line = (
                f"{left} left · train {loss:.3f}{self._valid} bits/char"
                f" · {self._speed():,.0f} tokens/s"
            )

    def _speed(self) -> float:
        """Return tokens a second over the last steps."""
        seconds = self._recent[-1][0] - self._recent[0][0]
        tokens = sum(count for _, count in self._recent) - self._recent[0][1]
        return tokens / seconds if seconds > 0 else 0.0

    def _left_s(self, step: "Event") -> float:
        steps = len(self._recent) - 1
        if not steps or not step.values["planned_steps"]:
            return self._budget_s - step.elapsed_s if self._budget_s else math.nan
        seconds = self._recent[-1][0] - self._recent[0][0]
        left: int = step.values["planned_steps"] - step.step
        # a step to come may take longer than one of now
        return float(left * step.values["cost_ahead"] * seconds / steps)
