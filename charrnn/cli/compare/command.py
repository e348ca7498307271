"""`charrnn compare`: rank models on the same text."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.compare import labelled, output
from charrnn.cli.compare.options import CompareOptions
from charrnn.errors import NotFoundError, UsageError
from charrnn.reports import ladder_plot

if TYPE_CHECKING:
    from charrnn.inference.comparing import Compared, Texts
    from charrnn.inference.text_model import TextModel


@arguments.with_options(CompareOptions)
def compare(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help="Run folders, run names or model files. [$CHARRNN_MODEL, or the "
            "newest run]",
        ),
    ] = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Compare models on the same text.

    \b
        charrnn compare plays-001 plays-002
        charrnn compare plays-001 --baselines --plot ladder.svg
        charrnn compare char.safetensors word.safetensors -f new.txt

    Bits per character do not depend on how a model splits text into tokens. The 95%
    interval is for the gap to the best model on similar text; a gap is real if its
    interval excludes 0. The interval ignores variation between training seeds.
    """
    options = CompareOptions(**given)
    files, plot = list(options.file), options.plot
    loading.check_sources(files)
    loaded = [loading.load_model(name) for name in models or (None,)]
    first = loaded[0]
    if any(model.source_tokenizer for model in loaded):
        labelled.compare(loaded, options, as_json=as_json, quiet=quiet)
        return
    if options.columns:
        raise UsageError("--columns applies to labelled data, not to plain text")
    ngrams = _ladder(first) if options.baselines else ()
    text = (
        loading.read_held_out(files, first, options.documents)
        if files
        else _validation_text(first)
    )
    loading.warn_of_training(loaded, text.split, quiet=quiet)

    from charrnn.inference.comparing import Texts

    texts = Texts(text.documents, ends=all(model.learned_end for model in loaded))
    output.log_text(texts, text.name, quiet=quiet)
    found = _compare(chain(loaded, ngrams), texts, quiet)
    output.warn_of_bad_scores(found, quiet=quiet)
    if as_json:
        output.write_json(found, texts, text.name)
    else:
        output.write_table(found)
    if plot:
        names = output.short_names([one.reading.model.name for one in found])
        ladder_plot.draw(found, names, Path(plot), f"on {text.name}")
        console.log(f"saved {plot}", quiet=quiet)


def _validation_text(first: "TextModel") -> loading.HeldOutText:
    from charrnn.inference.baselines import validation_documents
    from charrnn.storage.runs import run_of

    run = run_of(first.source)
    if not run:
        raise NotFoundError(
            f"{first.name} is not a run, so it has no validation text",
            hint="give a text to compare on: -f FILE",
        )
    documents = validation_documents(run)
    name = f"the validation text of {first.name}"
    return loading.HeldOutText(documents, name, loading.split_of(first))


def _ladder(first: "TextModel") -> Iterable["TextModel"]:
    """Return a uniform model, and n-gram models of the training text of `first`."""
    from charrnn.inference.baselines import ladder, store_of

    store = store_of(first)
    if not store:
        raise NotFoundError(
            f"{first.name} has no training text, which --baselines needs",
            hint="put a run first: a folder made by charrnn train",
        )
    return ladder(store, first.tokenizer)


def _compare(
    models: Iterable["TextModel"], texts: "Texts", quiet: bool
) -> list["Compared"]:
    from charrnn.inference import comparing

    readings = []
    for model in models:
        reading = comparing.read(model, texts)
        bits = console.number(reading.score.bits_per_char)
        console.log(f"{model.name}: {bits} bits/char", quiet=quiet)
        readings.append(reading)
    return comparing.compare(readings, texts)
