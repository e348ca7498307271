"""`charrnn compare`: which of several models is the best, and whether that is real."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console
from charrnn.cli import loading as inputs
from charrnn.cli.compare import output as compare_output
from charrnn.errors import NotFoundError, TextError, UsageError
from charrnn.reports import ladder_plot as compare_plot

if TYPE_CHECKING:
    from charrnn.inference.comparing import Compared, Texts
    from charrnn.inference.text_model import TextModel


def compare(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help="Run folders, names of runs, or model files; by default the newest.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Text to compare on, new to all models; - is stdin; may be given "
            "several times. By default what validated the first model.",
            show_default=False,
        ),
    ] = None,
    documents: Annotated[
        str | None,
        typer.Option(
            "--documents",
            metavar="file|line|blank|TEXT",
            help="Where a document of --file ends, as for train.",
            show_default="as in the corpus of the first model",
        ),
    ] = None,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help="Compare also with uniform chance and with the unigram to 8-gram "
            "counts of what the first model was trained on.",
        ),
    ] = False,
    plot: Annotated[
        str,
        typer.Option(
            "--plot",
            metavar="FILE.png|.svg",
            help="Draw it, too; needs matplotlib.",
            show_default=False,
        ),
    ] = "",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare models on the same text.

    \b
        charrnn compare plays-001 plays-002
        charrnn compare plays-001 --baselines --plot ladder.svg
        charrnn compare char.safetensors word.safetensors -f new.txt

    Bits a character compare whatever the tokens are. The interval is of how much
    worse than the best a model is on text like this; the difference is real where it
    excludes 0. It says nothing of how models trained again with another seed would do.
    """
    if plot:
        compare_plot.check(plot)
    if documents and not file:
        raise UsageError(
            "--documents says how --file is cut, but there is no --file",
            hint="what validated a run is cut as its corpus was",
        )
    inputs.check_sources(file or [])
    loaded = [inputs.load_model(name) for name in models or (None,)]
    rungs = _ladder(loaded[0]) if baselines else ()
    text = _of_files(file, documents, loaded) if file else _of_run(loaded)
    _warn_of_learned(loaded, text, quiet=quiet)
    compare_output.say_text(text.texts, text.name, quiet=quiet)
    found = _compare(chain(loaded, rungs), text.texts, quiet)
    compare_output.say_doubts(found, quiet=quiet)
    if as_json:
        compare_output.write_json(found, text.texts, text.name)
    else:
        compare_output.write_table(found)
    if plot:
        names = compare_output.short_names(found)
        compare_plot.draw(found, names, Path(plot), f"on {text.name}")
        console.log(f"drew {plot}", quiet=quiet)


@dataclass(frozen=True)
class Text:
    """What is compared on, and how it is called.

    split: the corpus that it is of, and how its part was cut, None for all of it.
    """

    texts: "Texts"
    name: str
    split: tuple[str | None, Any]


def _of_files(
    files: list[str], documents: str | None, loaded: Sequence["TextModel"]
) -> Text:
    """Return the texts of files, cut as those that the first model learned from."""
    from charrnn.data.config import CorpusConfig
    from charrnn.data.corpus import Corpus
    from charrnn.text.documents import documents as cut
    from charrnn.text.documents import whole_documents

    first = loaded[0]
    mode = documents or first.summary.get("corpus", {}).get("documents_in", "file")
    config, raw = CorpusConfig(mode), first.tokenizer.level == "byte"
    sources = inputs.sources(files)
    found = tuple(whole_documents(cut(sources, mode, raw=raw)))
    name = ", ".join(files)
    if not found:
        raise TextError(f"{name}: there is no text in it")
    sha256 = Corpus(sources, config, raw).survey().sha256
    return Text(_texts(found, loaded), name, (sha256, None))


def _of_run(loaded: Sequence["TextModel"]) -> Text:
    """Return what validated the first model."""
    from charrnn.inference.baselines import validation_documents
    from charrnn.storage.runs import Run

    first = loaded[0]
    if not Path(first.name).is_dir():
        raise NotFoundError(
            f"{first.name} is no run, so nothing is known to have validated it",
            hint="name a text to compare on: -f FILE",
        )
    found = validation_documents(Run(Path(first.name)))
    name = f"what validated {first.name}"
    return Text(_texts(found, loaded), name, inputs.split_of(first))


def _texts(documents: tuple[str, ...], loaded: Sequence["TextModel"]) -> "Texts":
    """Return documents, whose ends count if all models have learned ends."""
    from charrnn.inference.comparing import Texts

    return Texts(documents, ends=all(model.learned_end for model in loaded))


def _warn_of_learned(loaded: Sequence["TextModel"], text: Text, *, quiet: bool) -> None:
    """Warn of models that were trained on what they are compared on, or on some."""
    for model in loaded:
        sha256, cut = inputs.split_of(model)
        if sha256 == text.split[0] and cut != text.split[1]:
            console.warn(
                f"{model.name} was trained on this text, or on a part of it: its "
                "figures are too good",
                quiet=quiet,
            )


def _ladder(first: "TextModel") -> Iterable["TextModel"]:
    """Return what counting makes of what trained a model, one after the other."""
    from charrnn.data.store import TokenStore
    from charrnn.inference.baselines import ladder
    from charrnn.storage.runs import Run

    run = Run(Path(first.name))
    if not run.tokens.is_dir():
        raise NotFoundError(
            f"{first.name} has no tokens that --baselines could count",
            hint="name a run first, a folder that charrnn train made",
        )
    return ladder(TokenStore.open(run.tokens), first.tokenizer)


def _compare(
    models: Iterable["TextModel"], texts: "Texts", quiet: bool
) -> list["Compared"]:
    from charrnn.inference import comparing

    readings = []
    for model in models:
        reading = comparing.read(model, texts)
        bits = console.number(reading.score.bits_per_char)
        console.log(f"read by {model.name}: {bits} bits/char", quiet=quiet)
        readings.append(reading)
    return comparing.compare(readings, texts)
