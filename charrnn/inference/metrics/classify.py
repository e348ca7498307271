"""Metrics of a classifier: accuracy, macro F1, confusions and calibration."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from charrnn.inference.intervals import Reals
from charrnn.inference.metrics.figure import Figure, check_examples, ratio
from charrnn.inference.metrics.label_scores import LabelCounts, LabelScore
from charrnn.inference.metrics.tables import (
    FRACTION,
    MATRIX_LABELS,
    PLAIN,
    Table,
    TaskMetrics,
    Unit,
    confusion_matrix,
    scores_table,
    worst_pairs,
)

BINS: Final = 15  #: number of probability bins for the calibration error


@dataclass(frozen=True)
class ClassifyMetrics(TaskMetrics):
    """How well labels were predicted.

    confusions: how often each gold label (first) was predicted as each label, including
    itself. calibration_error: the expected calibration error, from 0 to 1.
    bits_per_label: the mean of -log2 p(gold label).
    """

    examples: int
    accuracy: Figure
    macro_f1: Figure
    labels: dict[str, LabelScore]
    confusions: dict[tuple[str, str], int]
    calibration_error: Figure | None = None
    bits_per_label: Figure | None = None

    @classmethod
    def of(
        cls,
        gold: Sequence[str],
        predicted: Sequence[str],
        *,
        probabilities: Sequence[float] | Reals | None = None,
        nats: Sequence[float] | Reals | None = None,
    ) -> "ClassifyMetrics":
        """Measure predictions, in the order of the gold labels.

        A gold label that the model does not know counts as an error. probabilities:
        (N,), the probabilities of the predicted labels. nats: (N,), -ln p of the gold
        labels; examples with NaN are left out of the bits per label.
        """
        check_examples(gold, predicted, probabilities, nats)
        N = len(gold)
        counts = LabelCounts.of(gold, predicted, np.arange(N), N)
        is_right = np.array([g == p for g, p in zip(gold, predicted, strict=True)])
        return cls(
            N,
            Figure.of(ratio, np.column_stack([is_right, np.ones(N)])),
            counts.macro_f1,
            counts.scores(),
            dict(Counter(zip(gold, predicted, strict=True)).most_common()),
            None if probabilities is None else _calibration(is_right, probabilities),
            None if nats is None else _mean(np.asarray(nats, np.float64) / log(2)),
        )

    @property
    def figures(self) -> Mapping[str, tuple[Figure | None, Unit]]:
        """The figures by name."""
        return {
            "accuracy": (self.accuracy, FRACTION),
            "macro F1": (self.macro_f1, FRACTION),
            "calibration error": (self.calibration_error, FRACTION),
            "bits per label": (self.bits_per_label, PLAIN),
        }

    def tables(self) -> Iterator[Table]:
        """Yield the figures, the scores per label, and the confusions."""
        yield from super().tables()
        yield scores_table("label", self.labels)
        if len(self.labels) <= MATRIX_LABELS:
            yield confusion_matrix(self.labels, self.confusions)
        elif pairs := self.worst_pairs():
            yield worst_pairs(pairs)

    def worst_pairs(self, most: int = 10) -> list[tuple[str, str, int]]:
        """Return the most frequent confusions (gold, predicted, count)."""
        pairs = ((*pair, n) for pair, n in self.confusions.items() if len({*pair}) > 1)
        return [pair for pair, _ in zip(pairs, range(most), strict=False)]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics under the names that `score` prints."""
        confusions: dict[str, dict[str, int]] = {}
        for (gold, predicted), count in self.confusions.items():
            confusions.setdefault(gold, {})[predicted] = count
        values: dict[str, Any] = {"examples": self.examples}
        for name in ("accuracy", "macro_f1", "calibration_error", "bits_per_label"):
            if (figure := getattr(self, name)) is not None:
                values |= figure.to_json(name)
        labels = {label: asdict(score) for label, score in self.labels.items()}
        return values | {"labels": labels, "confusions": confusions}


def _mean(values: Reals) -> Figure:
    is_known = ~np.isnan(values)
    return Figure.of(ratio, np.column_stack([np.where(is_known, values, 0), is_known]))


def _calibration(is_right: npt.NDArray[np.bool_], probabilities: Any) -> Figure:
    """Return the expected calibration error (Guo et al. 2017).

    Predictions are grouped by probability into 15 bins of equal width. The error is the
    mean over all predictions of |accuracy - mean probability| in the prediction's bin.
    """
    p = np.asarray(probabilities, np.float64)
    N = len(p)
    bins = np.clip(np.ceil(p * BINS).astype(np.int64) - 1, 0, BINS - 1)
    excess = (np.arange(N), bins, is_right - p)
    count = (np.arange(N), np.full(N, BINS), np.ones(N))
    return Figure.of_entries(_calibration_error, [excess, count], (N, BINS + 1))


def _calibration_error(sums: Reals) -> Reals:
    return np.asarray(np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1])
