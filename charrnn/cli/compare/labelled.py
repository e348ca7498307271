"""`charrnn compare` with labelled data: rank models by their metrics."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.cli.compare import output
from charrnn.cli.score import labelled
from charrnn.cli.score.output import values
from charrnn.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from charrnn.cli.compare.options import CompareOptions
    from charrnn.data.formats.base import Example
    from charrnn.inference.intervals import Interval
    from charrnn.inference.metrics.tables import TaskMetrics, Unit
    from charrnn.inference.text_model import TextModel
    from charrnn.tasks.evaluation import Evaluation

#: options of `compare` that are for language models only
OTHERS: Final = ("documents", "plot")


@dataclass(frozen=True)
class Contender:
    """A model or a baseline, with its metrics; a baseline has no `model`."""

    name: str
    metrics: "TaskMetrics"
    model: "TextModel | None" = None
    evaluation: "Evaluation | None" = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Ranked:
    """A contender, and the difference between its headline figure and the best one."""

    contender: Contender
    is_best: bool
    difference: float
    interval: "Interval"


def compare(
    models: Sequence["TextModel"],
    options: "CompareOptions",
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare models on labelled data, or on the validation part of the first run."""
    _check(models, options)
    first, files = models[0], options.file
    name = ", ".join(files) or f"the validation part of {first.name}"
    if files:
        examples = labelled.read_examples(first, files, options.columns, quiet=quiet)
    else:
        examples = _validation_examples(first)
    size = console.plural(len(examples), "example")
    console.log(f"data: {name}, {size}", quiet=quiet)
    found = []
    for one in _contenders(models, examples, baselines=options.baselines):
        if one.evaluation:
            labelled.warn(one.evaluation, one.name, quiet=quiet)
        found.append(one)
    ranked = rank(found)
    if as_json:
        _write_json(ranked, name, len(examples))
    else:
        _write_tables(ranked)


def rank(found: Sequence[Contender]) -> list[Ranked]:
    """Return contenders, best first, each with its difference from the best one."""
    from charrnn.inference.intervals import Interval

    def value(one: Contender) -> float:
        return -one.metrics.headline.value

    best, *others = sorted(found, key=value)
    nothing = Interval(float("nan"), float("nan"))
    return [
        Ranked(best, True, float("nan"), nothing),
        *(
            Ranked(one, False, *one.metrics.headline.difference(best.metrics.headline))
            for one in others
        ),
    ]


def _check(models: Sequence["TextModel"], options: "CompareOptions") -> None:
    """Raise UsageError if tasks differ, or if an option is only for language models."""
    first = models[0]
    for other in models[1:]:
        if other.summary.task != first.summary.task:
            raise UsageError(
                f"{first.name} and {other.name} have different tasks: "
                f"{first.summary.task} and {other.summary.task}",
                hint="compare models with the same task",
            )
    for name in OTHERS:
        if getattr(options, name):
            raise UsageError(
                f"`{name}` applies only to language models, not to {first.summary.task}"
            )


def _validation_examples(first: "TextModel") -> list["Example"]:
    from charrnn.storage.runs import run_of
    from charrnn.tasks.evaluation import held_out_examples

    run = run_of(first.source)
    if not run:
        raise NotFoundError(
            f"{first.name} is not a run, so it has no validation part",
            hint="give labelled data to compare on: -f FILE",
        )
    return held_out_examples(run)


def _contenders(
    models: Sequence["TextModel"], examples: Sequence["Example"], *, baselines: bool
) -> Iterator[Contender]:
    from charrnn.tasks import evaluation

    for model in models:
        start = time.perf_counter()
        found = evaluation.evaluate(model, examples)
        seconds = time.perf_counter() - start
        yield Contender(model.name, found.metrics, model, found, seconds)
    if not baselines:
        return
    counted = evaluation.evaluate_baseline(models[0], examples)
    if not counted:
        raise NotFoundError(
            f"{models[0].name} has no training data, which --baselines needs",
            hint="put a run first: a folder made by charrnn train",
        )
    yield Contender(*counted)


def _write_tables(ranked: Sequence[Ranked]) -> None:
    """Write a table of the headline figure, then a table of other figures and sizes."""
    metrics = [one.contender.metrics for one in ranked]
    names = output.short_names([one.contender.name for one in ranked])
    headline = _headings(metrics)[0]
    heading = ("model", headline, "95% interval", "to best", "95% interval", "real")
    rows: list[tuple[str, ...]] = [heading]
    rows += [(name, *_quality(one)) for name, one in zip(names, ranked, strict=True)]
    console.write_line(console.table(rows, "<><><<") + "\n")
    others = _headings(metrics)[1:]
    rows = [("model", "kind", *others, "parameters", "size", "inputs/s")]
    for name, one in zip(names, ranked, strict=True):
        kind, *sizes = _sizes(one.contender)
        rows.append((name, kind, *_others(one.contender.metrics, others), *sizes))
    console.write_line(console.table(rows, "<<".ljust(len(rows[0]), ">")))


def _headings(metrics: Sequence["TaskMetrics"]) -> list[str]:
    """Return the names of all figures that occur in the metrics, with their units."""
    return [
        f"{name} {unit.sign}".strip()
        for name, (_, unit) in metrics[0].figures.items()
        if any(one.figures[name][0] for one in metrics)
    ]


def _quality(one: Ranked) -> tuple[str, ...]:
    """Return the headline figure and its difference from the best, with intervals."""
    metrics = one.contender.metrics
    figure = metrics.headline
    unit = next(unit for found, unit in metrics.figures.values() if found)
    cells = (unit.number(figure.value), _interval(unit, figure.interval))
    if one.is_best:
        return (*cells, "best", "", "")
    is_real = "yes" if one.interval.excludes_zero else "no"
    interval = _interval(unit, one.interval, "+")
    return (*cells, unit.number(one.difference, "+"), interval, is_real)


def _interval(unit: "Unit", interval: "Interval", sign: str = "") -> str:
    if isnan(interval.low):
        return ""
    return " to ".join(unit.number(end, sign) for end in interval)


def _others(metrics: "TaskMetrics", headings: Sequence[str]) -> list[str]:
    """Return the figure for each heading, or "-" if the metrics do not have it."""
    numbers = {
        f"{name} {unit.sign}".strip(): unit.number(figure.value) if figure else "-"
        for name, (figure, unit) in metrics.figures.items()
    }
    return [numbers[heading] for heading in headings]


def _sizes(one: Contender) -> tuple[str, ...]:
    """Return the kind, the number of parameters, the file size and the speed."""
    if not (one.model and one.evaluation):
        return "counts", "", "", ""
    from charrnn.inference import checkpoint

    model = one.model
    return (
        model.model.title,
        f"{model.model.parameters:,}",
        console.size(checkpoint.size_bytes(model)),
        f"{len(one.evaluation.examples) / one.seconds:,.0f}",
    )


def _write_json(ranked: Sequence[Ranked], name: str, examples: int) -> None:
    """Write the data and the models as one JSON object."""
    data = {"name": name, "examples": examples}
    console.write_json({"data": data, "models": [*map(_record, ranked)]})


def _record(one: Ranked) -> dict[str, Any]:
    from charrnn.inference import checkpoint

    record: dict[str, Any] = {"model": one.contender.name}
    model, evaluation = one.contender.model, one.contender.evaluation
    if model and evaluation:
        record |= {
            "family": model.model.family,
            "kind": model.model.title,
            "parameters": model.model.parameters,
            "file_bytes": checkpoint.size_bytes(model),
            **values(evaluation.total),
            "impossible": len(evaluation.impossible),
            "inputs_per_s": len(evaluation.examples) / one.contender.seconds,
        }
    return (
        record
        | one.contender.metrics.to_json()
        | {
            "best": one.is_best,
            "difference": one.difference,
            "low": one.interval.low,
            "high": one.interval.high,
            "real": None if one.is_best else one.interval.excludes_zero,
        }
    )
