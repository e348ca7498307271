"""Metrics of classifiers, against scikit-learn and by hand."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from charrnn.inference.metrics.classify import ClassifyMetrics


def random_labels(seed: int) -> tuple[list[str], list[str]]:
    """Return gold and predicted labels; each side may have labels of its own."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(["ham", "spam", "eggs", "rare"], 200, p=[0.6, 0.2, 0.19, 0.01])
    predicted = rng.choice(["ham", "spam", "eggs", "new"], 200)
    same = rng.random(200) < 0.5
    return gold.tolist(), np.where(same, gold, predicted).tolist()


@pytest.mark.parametrize("seed", range(10))
def test_accuracy_and_scores_per_label_are_those_of_scikit_learn(seed: int) -> None:
    gold, predicted = random_labels(seed)

    metrics = ClassifyMetrics.of(gold, predicted)

    labels = list(metrics.labels)
    reference = precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=0
    )
    ours = [(s.precision, s.recall, s.f1, s.count) for s in metrics.labels.values()]
    np.testing.assert_allclose(np.array(ours).T, reference, atol=1e-12)
    macro = precision_recall_fscore_support(
        gold, predicted, average="macro", zero_division=0
    )
    assert metrics.macro_f1.value == pytest.approx(macro[2], abs=1e-12)
    assert metrics.accuracy.value == accuracy_score(gold, predicted)


def test_a_label_that_the_model_does_not_know_counts_as_an_error() -> None:
    metrics = ClassifyMetrics.of(["a", "new", "a", "a"], ["a", "a", "a", "a"])

    assert metrics.accuracy.value == 0.75
    # a: precision 3/4, recall 1, F1 2 * 3 / (3 + 4) = 6/7; new: F1 0
    assert metrics.macro_f1.value == pytest.approx((6 / 7 + 0) / 2)
    assert metrics.labels["new"].count == 1


def test_macro_f1_interval_surrounds_the_value_although_rare_labels_vanish() -> None:
    gold, predicted = random_labels(1)

    figure = ClassifyMetrics.of(gold, predicted).macro_f1

    assert figure.interval.low < figure.value < figure.interval.high


def test_confusions_count_every_pair_and_worst_pairs_only_errors() -> None:
    gold, predicted = list("aaabbbc"), list("abbbbcc")

    metrics = ClassifyMetrics.of(gold, predicted)

    assert metrics.to_json()["confusions"] == {
        "a": {"b": 2, "a": 1},
        "b": {"b": 2, "c": 1},
        "c": {"c": 1},
    }
    assert metrics.worst_pairs() == [("a", "b", 2), ("b", "c", 1)]
    assert metrics.worst_pairs(1) == [("a", "b", 2)]


def test_calibration_error_by_hand() -> None:
    # bins of width 1/15: 0.9, 0.92 and 14/15 are in (13/15, 14/15]; 0.5 in (7/15, 8/15]
    probabilities = [0.9, 0.92, 14 / 15, 0.5]
    gold, predicted = list("aaaa"), list("aaba")

    metrics = ClassifyMetrics.of(gold, predicted, probabilities=probabilities)

    assert metrics.calibration_error is not None
    # high: 2 right of 3, sum of p 0.9 + 0.92 + 0.9333; low: 1 right, p 0.5
    expected = (abs(2 - (0.9 + 0.92 + 14 / 15)) + abs(1 - 0.5)) / 4
    assert metrics.calibration_error.value == pytest.approx(expected, abs=1e-12)


def test_calibration_error_of_true_probabilities_is_small_and_of_certainty_is_not() -> (
    None
):
    rng = np.random.default_rng(2)
    p = rng.uniform(0.5, 1, 20_000)
    predicted = np.where(rng.random(20_000) < p, "a", "b").tolist()
    gold = ["a"] * 20_000

    honest = ClassifyMetrics.of(gold, predicted, probabilities=p).calibration_error
    certain = ClassifyMetrics.of(gold, predicted, probabilities=np.ones(20_000))

    assert honest is not None
    assert honest.value < 0.02
    assert certain.calibration_error is not None
    assert certain.calibration_error.value == pytest.approx(1 - 0.75, abs=0.01)


def test_bits_per_label_is_the_mean_cost_of_the_gold_labels() -> None:
    nats = [math.log(2), math.log(8)]  # 1 bit and 3 bits

    metrics = ClassifyMetrics.of(["a", "b"], ["a", "a"], nats=nats)

    assert metrics.to_json()["bits_per_label"] == pytest.approx(2.0)


def test_a_gold_label_of_probability_0_costs_infinitely_many_bits() -> None:
    metrics = ClassifyMetrics.of(["a", "new"], ["a", "a"], nats=[0.1, math.inf])

    found = metrics.to_json()

    assert found["bits_per_label"] is found["bits_per_label_interval"] is None


def test_json_has_the_names_of_the_command_line() -> None:
    metrics = ClassifyMetrics.of(["a", "b"], ["a", "a"], probabilities=[0.9, 0.6])

    assert metrics.to_json().keys() == {
        *("examples", "labels", "confusions"),
        *("accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval"),
        *("calibration_error", "calibration_error_interval"),
    }
    assert metrics.to_json()["labels"]["a"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": 2 / 3,
        "count": 1,
    }


@pytest.mark.parametrize(("gold", "predicted"), [([], []), (["a"], ["a", "b"])])
def test_no_examples_and_unequal_lists_are_refused(
    gold: list[str], predicted: list[str]
) -> None:
    with pytest.raises(ValueError, match="have the lengths"):
        ClassifyMetrics.of(gold, predicted)
