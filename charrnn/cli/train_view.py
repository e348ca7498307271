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
from charrnn.errors import ResourceError

if TYPE_CHECKING:
    from charrnn.training.events import Event

PLAIN_EVERY_S: Final = 30.0
SPEED_STEPS: Final = 50
COLUMNS: Final = 110  #: of a line where there is no terminal
INDENT: Final = " " * 9


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


def lines_of(event: "Event", columns: int) -> Iterator[str]:
    """Yield the lines that an event is worth; only a sample is cut to the columns."""
    values = event.values
    when = f"{clock(event.elapsed_s):>7}"
    if event.kind == "start":
        yield from _start_lines(values)
    elif event.kind == "validation":
        best = "" if values["best"] else "  (not the best)"
        yield (
            f"{when}  valid {figure(values['bits_per_char'])} bits/char,"
            f" {figure(values['nats_per_token'], 4)} nats/token"
            f"{_unknown(values)}{best}"
        )
    elif event.kind == "sample":
        yield INDENT + excerpt(values["text"], columns - len(INDENT))
    elif event.kind == "warning":
        yield f"warning: {values['message']}"
    elif event.kind == "done":
        best = values["best"]
        step = f" at step {best['step']:,}" if values["steps"] else ""
        yield (
            f"{when}  done: best {figure(best['bits_per_char'])} bits/char"
            f" ({figure(best['nats_per_token'], 4)} nats/token){step};"
            f" saved {values['run']}/model.safetensors"
        )
        yield from _beside(values)


def _beside(done: dict[str, Any]) -> Iterator[str]:
    """Say what counting does on the same text, alone and in a mixture."""
    best, ngram = done["best"], done.get("ngram")
    if "members" in best:
        said = (
            f"{member['name']} {figure(member['bits_per_char'])} bits/char"
            f" (weight {member['weight']:.2f})"
            for member in best["members"]
        )
        yield f"{INDENT}alone: {', '.join(said)}"
    elif ngram:
        is_better = ngram["nats_per_token"] < best["nats_per_token"]
        yield (
            f"{INDENT}{ngram['order']}-grams, counted in seconds:"
            f" {figure(ngram['bits_per_char'])} bits/char"
            f" ({figure(ngram['nats_per_token'], 4)} nats/token)"
            f"{'; that is better: try --with-ngram' if is_better else ''}"
        )
    elif "ngram" in done:
        yield f"{INDENT}the text is too long to count n-grams of it in passing"


def _unknown(values: dict[str, Any]) -> str:
    """Say the share of unknown tokens, which cost little: nobody spells them."""
    share = values["unknown"] / max(1, values["tokens"])
    return f", {share:.1%} unknown" if share >= 0.001 else ""


def _start_lines(values: dict[str, Any]) -> Iterator[str]:
    corpus, training = values["corpus"], values["training"]
    documents = corpus["documents"]
    yield (
        f"corpus   {', '.join(corpus['files'])}: {corpus['characters']:,} characters,"
        f" {plural(documents, 'document')};"
        f" {values['train_tokens']:,} tokens train,"
        f" {values['valid_tokens']:,} validate"
    )
    size = f", {values['parameters']:,} parameters" if "parameters" in values else ""
    yield (
        f"model    {values['title']}{size};"
        f" {values['vocabulary']:,} {values['level']} tokens"
    )
    if training:
        yield (
            f"plan     {_budget(training)} on {training['device']},"
            f" {training['precision']}, {plural(training['threads'], 'thread')};"
            f" batch {training['batch']} x {training['bptt']}, rate {training['lr']:g},"
            f" seed {training['seed']}"
        )
    if values["reasons"]:
        yield f"because  {'; '.join(values['reasons'])}"
    verb = "goes on in" if values["continues"] else "in"
    yield f"run      {verb} {values['run']}" if values["run"] else "run      none made"
    if corpus["leaked"]:
        yield (
            f"warning: {corpus['leaked']:,} validation documents stand in the training"
            " part too"
        )


def _budget(training: dict[str, Any]) -> str:
    if training["time_s"]:
        most = "at most " if training["max_epochs"] else ""
        return most + clock(training["time_s"])
    if training["steps"]:
        return f"{training['steps']:,} steps"
    return f"{training['epochs']:g} epochs"


def excerpt(text: str, columns: int) -> str:
    """Return the beginning of a text on one line, quoted, in at most `columns`."""
    shown = console.quoted(text)
    if console.width(shown) <= columns:
        return shown
    while text and console.width(shown) > columns - 3:
        text = text[: -max(1, (console.width(shown) - columns + 3) // 2)]
        shown = console.quoted(text)
    return f"{shown}..."


def figure(value: float | None, decimals: int = 3) -> str:
    """Return a figure of an event, where None stands for what no number is."""
    return "inf" if value is None else f"{value:.{decimals}f}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: 1 thread, 2,409 documents."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clock(seconds: float) -> str:
    """Return a time as 4:05 or 1:04:05, -:-- if it isn't known."""
    if not math.isfinite(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
