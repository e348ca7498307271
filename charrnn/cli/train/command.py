"""`charrnn train`: train a model on text."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.data.config import CorpusConfig
from charrnn.models.families import FAMILIES, trained_families
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.claim import claimed
from charrnn.training.config import TrainConfig
from charrnn.training.request import Request

if TYPE_CHECKING:
    from charrnn.cli.train.view import View
    from charrnn.training.session import Session

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIZES: Final = [FAMILIES[name].config_type for name in trained_families()]


@arguments.with_options(CorpusConfig, TokenizerConfig, Request, *SIZES, TrainConfig)
def train(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Text or labelled data (also .gz, .bz2, .xz), folders, or -.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan without training.")
    ] = False,
    json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Train a model on text or labelled data.

    \b
        charrnn train corpus.txt
        charrnn train names.txt --documents line --time 3m
        charrnn train labels.tsv --task classify

    Sizes and rates that you don't set are chosen from the corpus and the time budget;
    the choices are printed. To resume an interrupted run, repeat the same command.
    """
    loading.check_sources(corpus)
    request = Request.of(corpus, **given)
    scratch = tempfile.TemporaryDirectory() if dry_run else nullcontext(request.out)
    with scratch as folder:
        request = replace(request, out=folder, new=request.new or dry_run)
        with claimed(request) as claim:
            # imported while a signal still ends the process at once, because an
            # exception raised during an import could abort it or be swallowed
            from charrnn.cli.train.view import make_view
            from charrnn.training.prepare import located, session_type

            with _caught_signals(quiet=quiet) as signals, located(claim) as run:
                with signals.deferred():
                    session_type(run.request.family)  # imports torch
                with (
                    run.session() as session,
                    make_view(json=json, quiet=quiet) as view,
                ):
                    if dry_run:
                        start = session.start_event()
                        view.show(replace(start, run=""))
                        return
                    signals.held = True
                    _train(session, view, signals, quiet=quiet or json)
    run_folder = str(session.run.path)
    if signals.number and not session.finished:
        console.log(f"interrupted and saved: {run_folder}", quiet=quiet)
        console.log("the same command resumes it", quiet=quiet)
        raise typer.Exit(128 + signals.number)
    if not json:
        console.write_line(run_folder)
    console.suggest(session.next_command, quiet=quiet)


def _train(
    session: "Session", view: "View", signals: "Signals", *, quiet: bool
) -> None:
    """Train and show the events, or report that the run is already finished."""
    if session.finished:
        _report_finished(session, quiet=quiet)
        view.show(session.done_event())
        return
    for event in session.train(lambda: bool(signals.number)):
        view.show(event)


@dataclass
class Signals:
    """The signal received, if any. While `held`, it takes effect only after a step."""

    number: int = 0
    held: bool = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Delay the effect of a signal until the end of the block."""
        self.held = True
        yield
        self.held = False
        if self.number:
            raise SignalledError


class SignalledError(BaseException):
    """A signal was received. It is a BaseException so that no code swallows it."""


@contextmanager
def _caught_signals(*, quiet: bool) -> Iterator[Signals]:
    """Catch the signals that request a stop; a second one always exits at once."""
    signals = Signals()

    def catch(number: int, frame: FrameType | None) -> None:
        if signals.number:
            # exit without an exception, which a finalizer could swallow
            console.leave(128 + number)
        signals.number = number
        if not signals.held:
            raise SignalledError
        with suppress(RuntimeError):  # raised if a line is being written
            console.log("stopping; a second signal stops immediately", quiet=quiet)

    # signals that are ignored, as under nohup, stay ignored
    heard = [n for n in SIGNALS if signal.getsignal(n) != signal.SIG_IGN]
    old = {number: signal.signal(number, catch) for number in heard}
    try:
        yield signals
    except SignalledError:
        raise typer.Exit(128 + signals.number) from None
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _report_finished(session: "Session", *, quiet: bool) -> None:
    console.log(
        f"{session.run.path} is already finished; nothing was changed", quiet=quiet
    )
    further = "a larger --time, --epochs or --steps trains it further; "
    console.log(f"{further if session.has_steps else ''}--new starts over", quiet=quiet)
