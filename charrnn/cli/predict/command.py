"""`charrnn predict`: find the best output for each input."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.arguments import option
from charrnn.cli.predict import attention, output
from charrnn.errors import UsageError
from charrnn.fields import CORPUS, OUTPUT, check

if TYPE_CHECKING:
    from charrnn.data.formats.base import Labelled
    from charrnn.inference.text_model import TextModel
    from charrnn.tasks.base import Task

BATCH_INPUTS: Final = 4096


@dataclass(frozen=True)
class PredictOptions:
    """The inputs, the search, and the form of the output."""

    file: tuple[str, ...] = option(
        (),
        flags=("--file", "-f"),
        metavar="FILE",
        help="Read one input per line, or the inputs of labelled data; - is stdin; "
        "repeatable. The output for an empty line is an empty line.",
    )
    columns: str = option(
        "",
        metavar="INPUT,OUTPUT",
        group=CORPUS,
        help="Columns of labelled data, as in train.",
    )
    num: int = option(
        1, at_least=1, flags=("--num", "-n"), help="Number of outputs per input."
    )
    beam: int = option(
        5,
        at_least=1,
        at_most=1000,
        help="Number of candidates in beam search (translators and language models); "
        "1 is greedy.",
    )
    length: int = option(
        100,
        at_least=1,
        flags=("--length", "-l"),
        help="Maximum length of a continuation, in tokens (language models).",
    )
    out: str = option(
        "",
        flags=("--out", "-o"),
        metavar="FILE",
        group=OUTPUT,
        help="Write inputs and best outputs to FILE, in the format of the input (for "
        "plain text: TSV, or CoNLL for tags); - is stdout.",
    )
    show: str = option(
        "",
        group=OUTPUT,
        choices=("attention",),
        metavar="attention",
        help="Print to stderr how much a translator attended to each input token.",
    )
    tsv: bool = option(
        False, group=OUTPUT, help="Write a table: input, output, p, nats."
    )

    def __post_init__(self) -> None:
        check(self)


@arguments.with_options(PredictOptions)
def predict(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="Text to predict an output for; - reads stdin. Without INPUT or "
            "--file, stdin is read.",
        ),
    ] = None,
    model: arguments.Model = None,
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Find the best output for each input.

    \b
        charrnn predict Yamamoto
        charrnn predict -f names.txt > labels.txt
        charrnn predict -f test.csv -o predicted.csv

    The output is a label with its probability, the tags of the words, a translation
    or, for a language model, the most likely continuation. There is one line of output
    for each input, in the same order. Input in CoNLL gives CoNLL, with a line per word.
    """
    options = PredictOptions(**given)
    if as_json and options.tsv:
        raise UsageError("--json and --tsv cannot be combined", hint="omit one of them")
    sources = loading.texts_and_files(inputs, options.file, "charrnn predict Yamamoto")
    files = [path for path, is_file in sources if is_file]
    loading.check_sources(files)
    loading.check_out(options.out, files)
    loaded = loading.load_model(model)
    if options.columns and not loaded.source_tokenizer:
        raise UsageError("--columns applies to labelled data, not to plain text")
    if options.show:
        from charrnn.inference.prediction.attending import check_attention

        check_attention(loaded)
    console.log(f"model {loaded.name}", quiet=quiet)
    read = list(_read(sources, loaded, options.columns, quiet=quiet))
    _write(loaded, read, options, as_json=as_json, quiet=quiet)


def _write(
    model: "TextModel",
    read: Sequence["Labelled"],
    options: PredictOptions,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    from charrnn.tasks import TASKS

    task, layout = TASKS[model.summary.task](), read[0]
    found = _predicted(model, task, read, options)
    if options.show:
        found = attention.shown(model, found)
    if options.out:
        found = output.to_file(found, layout, task, options.out, quiet=quiet)
    if as_json:
        output.write_json(found, task, model.name)
    elif options.tsv:
        output.write_tsv(found)
    elif options.out:
        for _ in found:
            pass
    else:
        output.write_lines(found, layout, task, options.num)


def _read(
    sources: Sequence[tuple[str, bool]],
    model: "TextModel",
    columns: str,
    *,
    quiet: bool,
) -> Iterator["Labelled"]:
    """Yield each input (text, False), and the inputs of each file (path, True)."""
    from charrnn.data.formats.base import Example, Labelled
    from charrnn.data.inputs import Reading

    reader = model.source_tokenizer or model.tokenizer
    raw = reader.level == "byte"
    reading = Reading(columns=columns, raw=raw)
    if model.source_tokenizer:
        reading = Reading.of(
            model.summary, columns, has_tabs=reader.knows_tabs, raw=raw
        )
    texts = [Example(text, "") for text, is_file in sources if not is_file]
    if texts:
        yield Labelled(texts, "", "", "")
    files = [path for path, is_file in sources if is_file]
    for found in reading.inputs(loading.sources(files)):
        for note in found.notes:
            console.log(f"note: {note}", quiet=quiet)
        yield found


def _predicted(
    model: "TextModel",
    task: "Task[Any]",
    read: Sequence["Labelled"],
    options: PredictOptions,
) -> Iterator[output.Predicted]:
    """Yield each input with its outputs, or with none if it is empty."""
    examples = chain.from_iterable(one.examples for one in read)
    while batch := list(islice(examples, BATCH_INPUTS)):
        texts = [task.prepared(one.source) for one in batch]
        known = [text for text in texts if text and not text.isspace()]
        outputs = iter(
            model.predict(
                known, num=options.num, beam=options.beam, length=options.length
            )
        )
        for example, text in zip(batch, texts, strict=True):
            is_empty = not text or text.isspace()
            yield output.Predicted(example, text, [] if is_empty else next(outputs))
