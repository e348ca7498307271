"""`charrnn train`: learn a model from text."""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields, replace
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import console, options
from charrnn.config import (
    CELLS,
    PRECISIONS,
    SCHEDULES,
    CorpusConfig,
    RecurrentConfig,
    TokenizerConfig,
    TrainConfig,
)
from charrnn.errors import NotFoundError, TextError, UsageError

if TYPE_CHECKING:
    from charrnn.training.prepare import Request
    from charrnn.training.session import Session

#: options whose field has another name
FIELDS: Final = {"time": "time_s", "save_every": "save_every_s"}
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _option(*names: str, help: str, **extra: Any) -> Any:
    return typer.Option(*names, help=help, show_default=False, **extra)


def train(
    context: typer.Context,
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Text files (also .gz, .bz2, .xz), folders of them, or - for stdin.",
        ),
    ],
    out: Annotated[
        str,
        _option("-o", "--out", metavar="DIR", help="Run folder; else runs/<name>-NNN."),
    ] = "",
    time: Annotated[
        str | None,
        _option("--time", metavar="SPAN", help="Train this long: 90s, 5m, 1h30m. [5m]"),
    ] = None,
    epochs: Annotated[
        float | None,
        _option("--epochs", metavar="FLOAT", help="Read the training part so often."),
    ] = None,
    steps: Annotated[
        int | None, _option("--steps", metavar="INT", help="Take so many steps.")
    ] = None,
    cell: Annotated[
        str | None,
        _option(
            "--cell",
            parser=options.one_of("--cell", CELLS),
            metavar="NAME",
            help=f"{', '.join(CELLS)}. [gru]",
        ),
    ] = None,
    layers: Annotated[
        int | None, _option("--layers", metavar="INT", help="Stacked layers. [1]")
    ] = None,
    hidden: Annotated[
        int | None,
        _option("--hidden", metavar="INT", help="Units a layer; by corpus and time."),
    ] = None,
    embed: Annotated[
        int | None,
        _option("--embed", metavar="INT", help="Embedding size; 0 is one-hot input."),
    ] = None,
    dropout: Annotated[
        float | None,
        _option(
            "--dropout",
            metavar="FLOAT",
            help="Share of units left out of each window, in [0, 1); more for small "
            "corpora and long training.",
        ),
    ] = None,
    tie: Annotated[
        bool | None,
        _option("--tie/--no-tie", help="Use the embedding as output matrix too."),
    ] = None,
    residual: Annotated[
        bool | None,
        _option("--residual/--no-residual", help="Add a layer's input to its output."),
    ] = None,
    norm: Annotated[
        bool | None, _option("--norm/--no-norm", help="Normalise each layer's output.")
    ] = None,
    learned_state: Annotated[
        bool | None,
        _option("--learned-state/--zero-state", help="Learn the initial state."),
    ] = None,
    level: options.Level = "char",
    vocab_size: options.VocabSize = 0,
    min_count: options.MinCount = 2,
    model_type: options.ModelType = "unigram",
    tokenizer: options.TokenizerFile = None,
    documents: Annotated[
        str,
        typer.Option(
            "--documents",
            metavar="file|line|blank|TEXT",
            help="What a document is: a file, a line, what blank lines part, or what "
            "TEXT parts. The model learns where documents end.",
        ),
    ] = "file",
    valid: Annotated[
        list[str] | None,
        _option("--valid", metavar="FILE", help="Validate on this text instead."),
    ] = None,
    valid_frac: Annotated[
        float,
        typer.Option(
            "--valid-frac",
            metavar="FLOAT",
            help="Share of the text held out to validate, in (0, 1): the end of it, "
            "or of many documents some.",
        ),
    ] = 0.1,
    lr: Annotated[
        float | None, _option("--lr", metavar="FLOAT", help="Peak learning rate.")
    ] = None,
    schedule: Annotated[
        str | None,
        _option(
            "--schedule",
            parser=options.one_of("--schedule", SCHEDULES),
            metavar="|".join(SCHEDULES),
            help="How the rate falls over the run. [linear]",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        _option("--batch", metavar="INT", help="Streams read side by side. [32]"),
    ] = None,
    bptt: Annotated[
        int | None,
        _option("--bptt", metavar="INT", help="Tokens that gradients go back. [128]"),
    ] = None,
    clip: Annotated[
        float | None,
        _option("--clip", metavar="FLOAT", help="Largest gradient norm. [1]"),
    ] = None,
    weight_decay: Annotated[
        float | None,
        _option("--weight-decay", metavar="FLOAT", help="AdamW's decay of matrices."),
    ] = None,
    patience: Annotated[
        int | None,
        _option(
            "--patience",
            metavar="INT",
            help="Stop after so many validations without a better one; 0 never. [0]",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, metavar="INT", help="Random seed.")
    ] = 1,
    device: Annotated[
        str | None,
        _option("--device", metavar="NAME", help="auto, cpu or cuda. [auto]"),
    ] = None,
    precision: Annotated[
        str | None,
        _option(
            "--precision",
            parser=options.one_of("--precision", PRECISIONS),
            metavar="|".join(PRECISIONS),
            help="Number format of the products. [auto]",
        ),
    ] = None,
    threads: Annotated[
        int | None, _option("--threads", metavar="INT", help="CPU threads. [all cores]")
    ] = None,
    save_every: Annotated[
        str | None,
        _option("--save-every", metavar="SPAN", help="Time between saves. [60s]"),
    ] = None,
    init_from: Annotated[
        str,
        _option("--init-from", metavar="MODEL", help="Start from a model's weights."),
    ] = "",
    new: Annotated[
        bool, typer.Option("--new", help="Start afresh; don't continue a run.")
    ] = False,
    config: Annotated[
        str | None,
        _option("--config", metavar="FILE.toml", help="Options from a file."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained, and stop.")
    ] = False,
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
    from charrnn.cli.train_view import make_view
    from charrnn.training.prepare import open_session

    request = _request(tuple(corpus), given)
    scratch = tempfile.TemporaryDirectory() if dry_run else nullcontext(out)
    with scratch as folder, _caught_signals() as caught:
        request = replace(request, out=folder, new=new or dry_run)
        with (
            open_session(request) as session,
            make_view(json=json, quiet=quiet) as view,
        ):
            if dry_run:
                view.show(session.start_event())
                return
            if session.finished:
                _say_finished(session, quiet=quiet)
            else:
                for event in session.train(lambda: bool(caught)):
                    view.show(event)
            run = str(session.run.path)
    if caught and not session.finished:
        console.say(f"stopped and saved: {run}", quiet=quiet)
        console.say("the same command again goes on from there", quiet=quiet)
        raise typer.Exit(128 + caught[0])
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
    options = {name.replace("-", "_"): value for name, value in values.items()}
    unknown = sorted(set(options) - set(context.params) | {"config"} & set(options))
    if unknown:
        raise UsageError(
            f"--config {path}: no option {', '.join(unknown)}",
            hint="names are those of charrnn train --help, without the dashes",
        )
    return options


def _request(corpus: tuple[str, ...], given: Mapping[str, Any]) -> "Request":
    """Return what was asked for, sorted by what it is about."""
    from charrnn.training.prepare import Request

    values = {FIELDS.get(name, name): value for name, value in given.items()}
    for name, flag in (("time_s", "--time"), ("save_every_s", "--save-every")):
        if name in values:
            values[name] = options.parse_duration(str(values[name]), flag)

    def of(kind: Any) -> dict[str, Any]:
        return {f.name: values[f.name] for f in fields(kind) if f.name in values}

    request = Request(
        paths=corpus,
        valid=tuple(values.get("valid") or ()),
        init_from=values.get("init_from", ""),
        tokenizer_file=values.get("tokenizer") or "",
        tokenizer=TokenizerConfig(**of(TokenizerConfig)),
        corpus=CorpusConfig(**of(CorpusConfig)),
        model=of(RecurrentConfig),
        training=of(TrainConfig),
    )
    TrainConfig(**request.training)  # a wrong value is said before the corpus is read
    RecurrentConfig(**({"vocab_size": 1} | dict(request.model) | {"vocab_size": 1}))
    return request


@contextmanager
def _caught_signals() -> Iterator[list[int]]:
    """Collect the first signal to stop; a second one stops at once."""
    caught: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        console.say("stopping after this step; once more stops at once")

    old = {number: signal.signal(number, catch) for number in SIGNALS}
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _say_finished(session: "Session", *, quiet: bool) -> None:
    console.say(f"{session.run.path} is finished; left as it is", quiet=quiet)
    console.say(
        "a larger --time, --epochs or --steps trains it further, --new starts afresh",
        quiet=quiet,
    )
