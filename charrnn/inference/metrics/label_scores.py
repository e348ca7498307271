"""Precision, recall and F1 of each label, and their means, from counts.

Letters: M outputs, L labels; K = 3 L statistics: hits, gold and predicted per label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.inference.intervals import Reals
from charrnn.inference.metrics.figure import Figure, Ids


@dataclass(frozen=True)
class LabelScore:
    """How well one label was predicted; `count` is how often it is the gold label."""

    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True)
class LabelCounts:
    """The labels that occur as gold labels or predictions, with their macro F1.

    macro_f1: the mean F1 of these labels, as in scikit-learn.
    """

    labels: list[str]
    macro_f1: Figure

    @classmethod
    def of(
        cls, gold: Sequence[str], predicted: Sequence[str], examples: Ids, size: int
    ) -> "LabelCounts":
        """Count M outputs. examples: (M,), the index of each output's example."""
        labels = sorted({*gold, *predicted})
        index = {label: k for k, label in enumerate(labels)}
        of_gold = np.array([index[label] for label in gold], np.int64)
        of_predicted = np.array([index[label] for label in predicted], np.int64)
        L, is_hit = len(labels), of_gold == of_predicted
        ones = np.ones(len(gold))
        entries = [
            (examples, of_gold, is_hit * 1.0),
            (examples, L + of_gold, ones),
            (examples, 2 * L + of_predicted, ones),
        ]
        return cls(labels, Figure.of_entries(macro_f1, entries, (size, 3 * L)))

    def scores(self) -> dict[str, LabelScore]:
        """Return the score of each label, most frequent gold label first."""
        hits, gold, predicted = _counts(self.macro_f1.sums.sum(axis=0)).tolist()
        scores = {
            label: label_score(*counts)
            for label, *counts in zip(self.labels, hits, gold, predicted, strict=True)
        }
        return dict(sorted(scores.items(), key=lambda item: -item[1].count))


def label_score(hits: float, gold: float, predicted: float) -> LabelScore:
    """Return the score of a label; ratios with a denominator of 0 are 0."""
    precision = hits / predicted if predicted else 0.0
    recall = hits / gold if gold else 0.0
    return LabelScore(precision, recall, float(f1([hits, gold, predicted])), int(gold))


def f1(sums: "Reals | Sequence[float]") -> Reals:
    """Return the F1 of (hits, gold, predicted), (..., 3) -> (...); 0 / 0 is 0."""
    hits, gold, predicted = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    return np.asarray(2 * hits / np.maximum(gold + predicted, 1))


def macro_f1(sums: Reals) -> Reals:
    """Return the mean F1 of the labels that occur: (..., 3 L) -> (...)."""
    counts = np.moveaxis(_counts(sums), -2, -1)  # (..., L, 3)
    occurs = (counts[..., 1] + counts[..., 2] > 0).sum(axis=-1)
    return np.asarray(f1(counts).sum(axis=-1) / np.maximum(occurs, 1))


def _counts(sums: Reals) -> Reals:
    """Return the counts as (..., 3, L)."""
    return sums.reshape(*sums.shape[:-1], 3, -1)
