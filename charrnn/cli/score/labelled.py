"""`charrnn score` with labelled data: score and predict outputs, given inputs."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isinf
from typing import TYPE_CHECKING, Final

from charrnn.cli import console, loading
from charrnn.cli.score import output
from charrnn.errors import UsageError
from charrnn.inference.score import Score

if TYPE_CHECKING:
    from charrnn.cli.score.options import ScoreConfig
    from charrnn.data.formats.base import Example
    from charrnn.inference.metrics.tables import TaskMetrics
    from charrnn.inference.prediction.predicting import Prediction
    from charrnn.inference.text_model import TextModel
    from charrnn.tasks.evaluation import Evaluation
    from charrnn.tasks.labelled import LabelledTask
    from charrnn.tokenizers.base import Tokenizer

SHOWN: Final = 3  #: number of unknown labels that a warning lists
#: a warning is logged if a larger share of inputs was in the training data
MOST_REPEATED: Final = 0.1
#: options of `score` that are for language models only
OTHERS: Final = ("whole", "mix", "context", "end", "top", "heat")
Write = Callable[[str], None]
#: an example, the score of its output, and the best output
Triple = tuple["Example", Score, "Prediction"]


def score(
    model: "TextModel",
    sources: Sequence[tuple[str, bool]],
    config: "ScoreConfig",
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score each example (text, False), and the examples of each file (path, True)."""
    _check(config, model)
    from charrnn.tasks import evaluation

    task = evaluation.task_of(model)
    console.log(f"model {model.name}", quiet=quiet)
    examples = list(_examples(model, sources, config.columns, quiet=quiet))
    if config.plain:
        scores = evaluation.score_examples(model, examples)
        pairs = zip(examples, scores, strict=True)
        rows = [output.Scored(one.target, score) for one, score in pairs]
        if config.per == "total":
            rows = [row for row in rows if not isinf(row.score.nats)]
        output.write_plain(rows, config.per, config.unit)
        return
    found = evaluation.evaluate(model, examples)
    warn(found, model.name, quiet=quiet)
    triples = list(zip(found.examples, found.scores, found.predicted, strict=True))
    if config.sort:
        triples.sort(key=lambda triple: triple[1].nats)
    if as_json:
        _write_json(found, triples, config.per, task, model.name)
        return
    shown = partial(_shown, task, model.tokenizer)
    rows = [output.Scored(shown(*triple), triple[1]) for triple in triples]
    output.write_table(rows, config.per, config.unit, quiet=quiet, finite=True)
    if config.per == "total":
        write_metrics(found.metrics, console.write_line)
    elif not quiet and any(is_file for _, is_file in sources):
        write_metrics(found.metrics, console.log)


def write_metrics(metrics: "TaskMetrics", write: Write) -> None:
    """Write the tables of metrics, with a blank line before each."""
    from charrnn.text.characters import one_line

    for table in metrics.tables():
        rows = [[*map(one_line, row)] for row in table.rows]
        write("\n" + console.table(rows, table.align, table.gap))
    if metrics.note:
        write("\n" + metrics.note)


def read_examples(
    model: "TextModel", paths: Sequence[str], columns: str, *, quiet: bool
) -> list["Example"]:
    """Read the labelled data in files, for the task of a model."""
    from charrnn.data.inputs import Reading

    found = Reading.of(model.summary, columns).examples(loading.sources([*paths]))
    for note in found.notes:
        console.log(f"note: {note}", quiet=quiet)
    return found.examples


def _check(config: "ScoreConfig", model: "TextModel") -> None:
    """Raise UsageError for options that do not apply to labelled data."""
    task = model.summary.task
    for name in OTHERS:
        if getattr(config, name) != getattr(type(config), name):
            raise UsageError(f"`{name}` applies only to language models, not to {task}")
    if config.per in output.PARTS:
        raise UsageError(
            f"--per {config.per} applies only to language models, not to {task}",
            hint="use --per text or --per total",
        )


def _examples(
    model: "TextModel",
    sources: Sequence[tuple[str, bool]],
    columns: str,
    *,
    quiet: bool,
) -> Iterator["Example"]:
    from charrnn.data.inputs import parse_example

    for number, (text, is_file) in enumerate(sources, 1):
        if not is_file:
            yield parse_example(text, number, model.summary.task)
    if paths := [path for path, is_file in sources if is_file]:
        yield from read_examples(model, paths, columns, quiet=quiet)


def _shown(
    task: "LabelledTask",
    tokenizer: "Tokenizer",
    example: "Example",
    _: Score,
    best: "Prediction",
) -> str:
    """Return an example on one line, with the predicted output if that is wrong."""
    text = task.paired(example.source, example.target)
    if best.output == tokenizer.normalise(example.target):
        return text
    return f"{text}  (predicted: {task.shown(example.source, best.output)})"


def warn(found: "Evaluation", model: str, *, quiet: bool) -> None:
    """Warn about unknown labels and about inputs that the model was trained on."""
    N = len(found.examples)
    if found.unknown:
        shown = console.listed([*map(console.quoted, found.unknown)], SHOWN)
        count = f"{len(found.impossible):,} of {N:,} examples count"
        console.warn(
            f"{model} does not know {shown}: {count} as wrong, and their infinite "
            "surprisal is left out of sums and means",
            quiet=quiet,
        )
    if found.repeated > MOST_REPEATED * N:
        console.warn(
            f"{model} was trained on {found.repeated:,} of the {N:,} inputs; its "
            "figures may be too good",
            quiet=quiet,
        )


def _write_json(
    found: "Evaluation",
    triples: Sequence[Triple],
    per: str,
    task: "LabelledTask",
    model: str,
) -> None:
    """Write one JSON object per example, or a single one with sums and metrics."""
    if per == "total":
        record = output.values(found.total)
        record |= {"texts": len(triples), "impossible": len(found.impossible)}
        console.write_json(record | found.metrics.to_json() | {"model": model})
        return
    for example, score, best in triples:
        record = {"text": example.target, "input": example.source}
        record["predicted"] = task.listed(best.output)
        console.write_json(record | output.values(score) | {"model": model})
