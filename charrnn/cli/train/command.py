"""`charrnn train`: learn a model from text."""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console
from charrnn.cli import loading as inputs
from charrnn.cli.train import options as train_options
from charrnn.errors import NotFoundError, TextError, UsageError
from charrnn.fields import flag

if TYPE_CHECKING:
    from charrnn.training.request import Request
    from charrnn.training.session import Session

#: options in seconds, and their fields
DURATIONS: Final = {"time": "time_s", "save_every": "save_every_s"}
#: what is about one call and not about training; --config files don't hold it
OF_ONE_CALL: Final = {"corpus", "config", "dry_run", "json", "quiet", "help"}
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def train(
    context: typer.Context,
    corpus: train_options.Corpus,
    out: train_options.Out = "",
    time: train_options.Time = None,
    epochs: train_options.Epochs = None,
    steps: train_options.Steps = None,
    model: train_options.Model = None,
    cell: train_options.Cell = None,
    layers: train_options.Layers = None,
    hidden: train_options.Hidden = None,
    embed: train_options.Embed = None,
    dropout: train_options.Dropout = None,
    tie: train_options.Tie = None,
    residual: train_options.Residual = None,
    norm: train_options.Norm = None,
    learned_state: train_options.LearnedState = None,
    order: train_options.Order = None,
    direct: train_options.Direct = None,
    smoothing: train_options.Smoothing = None,
    k: train_options.K = None,
    with_ngram: train_options.WithNgram = None,
    ngram_order: train_options.NgramOrder = None,
    level: options.Level = "char",
    vocab_size: options.VocabSize = 0,
    min_count: options.MinCount = 2,
    model_type: options.ModelType = "unigram",
    tokenizer: options.TokenizerFile = None,
    documents: train_options.Documents = "file",
    valid: train_options.Valid = None,
    valid_frac: train_options.ValidFrac = None,
    lr: train_options.Lr = None,
    schedule: train_options.Schedule = None,
    batch: train_options.Batch = None,
    bptt: train_options.Bptt = None,
    clip: train_options.Clip = None,
    weight_decay: train_options.WeightDecay = None,
    patience: train_options.Patience = None,
    seed: train_options.Seed = 1,
    device: train_options.Device = None,
    precision: train_options.Precision = None,
    threads: train_options.Threads = None,
    save_every: train_options.SaveEvery = None,
    init_from: train_options.InitFrom = "",
    plan: train_options.Plan = "",
    new: train_options.New = False,
    force: train_options.Force = False,
    config: train_options.Config = None,
    dry_run: train_options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Learn a model from text.

    \b
        charrnn train corpus.txt
        charrnn train names.txt --documents line --time 3m

    Sizes and rates that are not given are chosen by the corpus and the time, and
    said. The same command again continues a run that was stopped.
    """
    given = _given(context)
    inputs.check_sources(corpus)
    request = _request(tuple(corpus), given)
    if not dry_run:
        request.check_free()  # before torch is imported
    from charrnn.cli.train.view import make_view
    from charrnn.training.prepare import open_session, session_type
    from charrnn.training.request import USUAL

    # while a signal still ends all at once: as an exception in the middle of an import
    # it would abort torch
    session_type(request.family or USUAL)
    scratch = tempfile.TemporaryDirectory() if dry_run else nullcontext(request.out)
    with scratch as folder, _caught_signals(quiet=quiet) as signals:
        request = replace(request, out=folder, new=request.new or dry_run)
        with (
            open_session(request) as session,
            make_view(json=json, quiet=quiet) as view,
        ):
            signals.held = True
            if signals.number:  # and the exception was lost in some import
                raise typer.Exit(128 + signals.number)
            if dry_run:
                start = session.start_event()
                view.show(replace(start, values=start.values | {"run": ""}))
                return
            if session.finished:
                _say_finished(session, quiet=quiet or json)
                view.show(session.done_event())
            else:
                for event in session.train(lambda: bool(signals.number)):
                    view.show(event)
            run = str(session.run.path)
    if signals.number and not session.finished:
        console.say(f"stopped and saved: {run}", quiet=quiet)
        console.say("the same command again goes on from there", quiet=quiet)
        raise typer.Exit(128 + signals.number)
    if not json:
        console.write_line(run)
    console.suggest(f"charrnn sample -m {run} --temp 0.8", quiet=quiet)


def _given(context: typer.Context) -> dict[str, Any]:
    """Return the options that were given, by command line or --config FILE."""
    typed = {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) and source.name != "DEFAULT"
    }
    path = typed.get("config")
    return (_read_config(path, context) if path else {}) | typed


def _read_config(path: str, context: typer.Context) -> dict[str, Any]:
    """Return the options of a TOML file, their names as on the command line."""
    import tomllib

    try:
        with open(path, "rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise NotFoundError(f"--config {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TextError(f"--config {path} is not TOML: {error}") from error
    values = {name.replace("-", "_"): value for name, value in values.items()}
    known = {p.name: p for p in context.command.params if p.name not in OF_ONE_CALL}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(
            f"--config {path}: no option {', '.join(unknown)}",
            hint="names are those of charrnn train --help, without the dashes",
        )
    return {name: _checked(known[name], values[name], context) for name in values}


def _checked(option: Any, value: Any, context: typer.Context) -> Any:
    """Return the value of a file as if it had been typed. Raises what Typer raises."""
    typed = [str(item) for item in (value if isinstance(value, list) else [value])]
    if isinstance(value, list) and not option.multiple:
        typed = [str(value)]
    return option.process_value(context, typed if option.multiple else typed[0])


def _request(corpus: tuple[str, ...], given: Mapping[str, Any]) -> "Request":
    """Return what was asked for, sorted by what it is about."""
    from charrnn.training.request import Request

    values = {name: given[name] for name in given if name not in OF_ONE_CALL}
    for name, value in values.items():
        if value == "":  # as of a variable of the shell that is not set
            raise UsageError(f"{flag(name)} is empty", hint=f"leave {flag(name)} out")
    for name, field in DURATIONS.items():
        if name in values:
            values[field] = options.parse_duration(str(values.pop(name)), flag(name))
    return Request.of(corpus, **values)


@dataclass
class Signals:
    """The signal that came, if any; once `held`, it waits for the end of a step."""

    number: int = 0
    held: bool = False


class SignalledError(BaseException):
    """A signal came. No typer.Exit: some code takes a RuntimeError for its own."""


@contextmanager
def _caught_signals(*, quiet: bool) -> Iterator[Signals]:
    """Catch the signals to stop. A second one stops at once, held or not."""
    signals = Signals()

    def catch(number: int, frame: FrameType | None) -> None:
        if signals.number:
            # not by an exception, which a finalizer would swallow
            console.leave(128 + number)
        signals.number = number
        if not signals.held:
            raise SignalledError
        with suppress(RuntimeError):  # it may come in the middle of another line
            console.say(
                "stopping after this step; once more stops at once", quiet=quiet
            )

    # what is ignored stays so, as under nohup
    heard = [n for n in SIGNALS if signal.getsignal(n) != signal.SIG_IGN]
    old = {number: signal.signal(number, catch) for number in heard}
    try:
        yield signals
    except SignalledError:
        raise typer.Exit(128 + signals.number) from None
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _say_finished(session: "Session", *, quiet: bool) -> None:
    console.say(f"{session.run.path} is finished; left as it is", quiet=quiet)
    further = "a larger --time, --epochs or --steps trains it further, "
    console.say(
        f"{further if session.has_steps else ''}--new starts afresh", quiet=quiet
    )
