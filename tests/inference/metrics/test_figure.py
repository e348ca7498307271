"""Bootstrap intervals over examples: they cover the truth, and pairs are paired."""

import math

import numpy as np
import pytest

from charrnn.inference.metrics.figure import MAX_GROUPS, Figure, ratio

SAMPLES = 200


def accuracy(is_right: np.ndarray) -> Figure:
    return Figure.of(ratio, np.column_stack([is_right, np.ones(len(is_right))]))


@pytest.mark.parametrize("size", [60, 3 * MAX_GROUPS + 7])
def test_interval_of_accuracy_covers_the_truth_in_90_to_99_percent(size: int) -> None:
    # with a true coverage of 95%, fewer than 180 of 200 occur with probability 0.0003
    rng = np.random.default_rng(size)
    intervals = [accuracy(rng.random(size) < 0.8).interval for _ in range(SAMPLES)]

    covered = sum(low <= 0.8 <= high for low, high in intervals)

    assert 0.90 * SAMPLES <= covered <= 0.99 * SAMPLES


def test_interval_of_a_large_test_set_is_the_normal_interval_of_a_proportion() -> None:
    is_right = np.arange(20_000) % 4 > 0  # 75%, however the examples are grouped

    low, high = accuracy(is_right).interval

    half = 1.96 * math.sqrt(0.75 * 0.25 / 20_000)
    # 2,000 resamples: each end has a standard error of about 4% of the half-width
    assert low == pytest.approx(0.75 - half, abs=0.2 * half)
    assert high == pytest.approx(0.75 + half, abs=0.2 * half)


def test_difference_of_paired_models_is_far_more_certain_than_of_their_intervals() -> (
    None
):
    rng = np.random.default_rng(3)
    worse = rng.random(1000) < 0.8
    better = worse.copy()
    better[np.flatnonzero(~worse)[:15]] = True

    value, (low, high) = accuracy(better).difference(accuracy(worse))

    assert value == pytest.approx(0.015)
    assert 0 < low < 0.015 < high < 0.03
    assert accuracy(better).interval.low < accuracy(worse).interval.high


def test_difference_of_a_model_and_itself_is_zero_without_doubt() -> None:
    figure = accuracy(np.arange(50) % 3 == 0)

    assert figure.difference(figure) == (0.0, (0.0, 0.0))


@pytest.mark.parametrize("size", [2, 7, 100, 2500])
def test_interval_surrounds_the_value_and_stays_between_0_and_1(size: int) -> None:
    for k in range(20):
        figure = accuracy(np.random.default_rng([size, k]).random(size) < 0.9)

        assert 0 <= figure.interval.low <= figure.value <= figure.interval.high <= 1


def test_order_of_examples_changes_an_interval_by_chance_only() -> None:
    is_right = np.arange(5000) < 1000

    sorted_by_outcome = accuracy(is_right).interval
    shuffled = accuracy(np.random.default_rng(1).permutation(is_right)).interval

    # the half-width is 0.011
    assert tuple(sorted_by_outcome) == pytest.approx(tuple(shuffled), abs=0.003)


def test_one_example_has_a_value_but_no_interval() -> None:
    assert accuracy(np.array([True])).to_json("accuracy") == {
        "accuracy": 1.0,
        "accuracy_interval": None,
    }


def test_entries_and_rows_make_the_same_figure() -> None:
    rows = np.random.default_rng(5).random((1500, 3))
    examples, columns = np.divmod(np.arange(rows.size), 3)
    order = np.random.default_rng(6).permutation(rows.size)
    entries = (examples[order], columns[order], rows.ravel()[order])

    figure = Figure.of_entries(ratio, [entries], rows.shape)

    np.testing.assert_allclose(figure.sums, Figure.of(ratio, rows).sums, atol=1e-12)


def test_figures_of_different_numbers_of_examples_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="3 and 4 examples"):
        accuracy(np.ones(3)).difference(accuracy(np.ones(4)))
