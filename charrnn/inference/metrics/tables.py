"""Metrics as tables to read: figures, scores per label, and confusions."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from string import ascii_lowercase
from typing import Any, Final

from charrnn.inference.metrics.figure import Figure
from charrnn.inference.metrics.label_scores import LabelScore

MATRIX_LABELS: Final = 20  #: maximum number of labels in a confusion matrix
MOST_LABELS: Final = 40  #: maximum number of labels in a table of scores
Row = tuple[str, ...]
Pairs = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Unit:
    """How a figure is shown: multiplied by `factor`, with `sign` after it."""

    factor: float = 1.0
    sign: str = ""

    def shown(self, value: float) -> str:
        """Format a value with its unit."""
        return "-" if isnan(value) else self.number(value) + self.sign

    def number(self, value: float, plus: str = "") -> str:
        """Format a value without its unit. plus: "+" for differences, otherwise ""."""
        return "-" if isnan(value) else f"{self.factor * value:{plus}.2f}"


FRACTION: Final = Unit(100, "%")
PERCENT: Final = Unit(1, "%")
PLAIN: Final = Unit()


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first is the heading. align: one < or > per column."""

    rows: list[Row]
    align: str
    gap: int = 2


class TaskMetrics(ABC):
    """The metrics of predictions for labelled data.

    examples: the number of examples. note: text to print below the tables.
    """

    examples: int
    note: str = ""

    @property
    @abstractmethod
    def figures(self) -> Mapping[str, tuple[Figure | None, Unit]]:
        """The figures by name; the first that is not None is the headline."""

    @property
    def headline(self) -> Figure:
        """The figure by which models are compared."""
        return next(found for found, _ in self.figures.values() if found)

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the metrics under the names that `score` prints."""

    def tables(self) -> Iterator[Table]:
        """Yield the tables for people to read."""
        rows: list[Row] = [("", "value", "95% interval")]
        for name, (found, unit) in self.figures.items():
            if found:
                low, high = map(unit.shown, found.interval)
                interval = "" if low == "-" else f"{low} to {high}"
                rows.append((name, unit.shown(found.value), interval))
        yield Table(rows, "<><")


def scores_table(name: str, scores: Mapping[str, LabelScore]) -> Table:
    """Return a table with a row per label, but at most MOST_LABELS rows."""
    rows: list[Row] = [(name, "count", "precision", "recall", "F1")]
    for label, one in list(scores.items())[:MOST_LABELS]:
        values = map(FRACTION.shown, (one.precision, one.recall, one.f1))
        rows.append((label, f"{one.count:,}", *values))
    if (more := len(scores) - MOST_LABELS) > 0:
        rows.append((f"... and {more} more", "", "", "", ""))
    return Table(rows, "<>>>>")


def confusion_matrix(labels: Iterable[str], confusions: Pairs) -> Table:
    """Return the confusion matrix: a row per gold label, a column per prediction.

    Each label is abbreviated to a letter.
    """
    named = dict(zip(labels, ascii_lowercase, strict=False))
    rows: list[Row] = [("gold", *named.values())]
    for gold, letter in named.items():
        counts = [confusions.get((gold, label), 0) for label in named]
        cells = [str(count) if count else "." for count in counts]
        rows.append((f"{letter} {gold}", *cells))
    return Table(rows, "<".ljust(1 + len(named), ">"), gap=1)


def worst_pairs(pairs: Iterable[tuple[str, str, int]]) -> Table:
    """Return a table of the most frequent confusions."""
    rows: list[Row] = [("gold", "predicted", "count")]
    rows += [(gold, predicted, f"{count:,}") for gold, predicted, count in pairs]
    return Table(rows, "<<>")
