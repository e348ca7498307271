"""Filters on hand-made distributions, and their order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sampling import NOTHING, draws, logits_of, probabilities_of, tokens_of

from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import heat, min_p, top_k, top_p
from charrnn.models.base import log_softmax

# --- filters on hand-made distributions


def test_temperature_of_a_half_squares_the_probabilities() -> None:
    # (1/2, 1/4, 1/4) squared is (4, 1, 1) / 16, which sums to 6/16
    heated = heat(logits_of(0.5, 0.25, 0.25), 0.5)

    np.testing.assert_allclose(
        probabilities_of(heated), [4 / 6, 1 / 6, 1 / 6], atol=1e-6
    )


def test_top_k_keeps_the_k_most_likely_in_proportion() -> None:
    kept = top_k(logits_of(0.1, 0.4, 0.3, 0.2), 2)

    np.testing.assert_allclose(probabilities_of(kept), [0, 4 / 7, 3 / 7, 0], atol=1e-6)


def test_top_k_keeps_the_first_of_equal_logits() -> None:
    kept = top_k(logits_of(0.1, 0.3, 0.3, 0.3), 2)

    assert probabilities_of(kept) == [0, 0.5, 0.5, 0]


def test_top_k_of_at_least_the_vocabulary_size_changes_nothing() -> None:
    logits = logits_of(0.1, 0.4, 0.5)

    np.testing.assert_array_equal(top_k(logits, 3), logits)
    np.testing.assert_array_equal(top_k(logits, 4), logits)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.01, [0, 1, 0, 0]),
        (0.35, [0, 1, 0, 0]),
        (0.45, [0, 4 / 7, 3 / 7, 0]),
        (0.65, [0, 4 / 7, 3 / 7, 0]),
        (0.75, [0, 4 / 9, 3 / 9, 2 / 9]),
        (0.95, [0.1, 0.4, 0.3, 0.2]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(
    p: float, expected: list[float]
) -> None:
    kept = top_p(logits_of(0.1, 0.4, 0.3, 0.2), p)

    np.testing.assert_allclose(probabilities_of(kept), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.2, [0.1, 0.4, 0.3, 0.2]),  # 0.2 of 0.4 is 0.08
        (0.4, [0, 4 / 9, 3 / 9, 2 / 9]),  # 0.16
        (0.6, [0, 4 / 7, 3 / 7, 0]),  # 0.24
        (0.9, [0, 1, 0, 0]),  # 0.36
        (1.0, [0, 1, 0, 0]),
    ],
)
def test_min_p_keeps_tokens_p_times_as_likely_as_the_best(
    p: float, expected: list[float]
) -> None:
    kept = min_p(logits_of(0.1, 0.4, 0.3, 0.2), p)

    np.testing.assert_allclose(probabilities_of(kept), expected, atol=1e-6)


def test_min_p_of_one_keeps_all_tokens_tied_for_the_best() -> None:
    assert probabilities_of(min_p(logits_of(0.4, 0.2, 0.4), 1.0)) == [0.5, 0, 0.5]


def test_filters_treat_each_row_independently() -> None:
    rows = [logits_of(0.1, 0.4, 0.3, 0.2), logits_of(0.7, 0.1, 0.1, 0.1)]
    together = np.concatenate(rows)

    for filtered in (
        lambda x: top_k(x, 2),
        lambda x: top_p(x, 0.6),
        lambda x: min_p(x, 0.5),
        lambda x: heat(x, 0.7),
    ):
        np.testing.assert_array_equal(
            filtered(together), np.concatenate([filtered(row) for row in rows])
        )


logit_rows = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=12)


@given(logit_rows, st.integers(1, 12), st.floats(0.01, 1), st.floats(0.01, 1))
def test_softmax_sums_to_one_after_every_filter(
    row: list[float], k: int, p: float, q: float
) -> None:
    logits = np.array([row], np.float32)
    best = int(logits.argmax())

    for filtered in (top_k(logits, k), top_p(logits, p), min_p(logits, q)):
        assert np.exp(log_softmax(filtered)).sum() == pytest.approx(1, abs=1e-5)
        assert filtered[0, best] == logits[0, best]
        kept = filtered > NOTHING
        np.testing.assert_array_equal(filtered[kept], logits[kept])


@given(logit_rows, st.integers(1, 12))
def test_top_k_keeps_exactly_k(row: list[float], k: int) -> None:
    kept = top_k(np.array([row], np.float32), k)

    assert (kept > NOTHING).sum() == min(k, len(row))


# --- the order of the filters


def test_temperature_comes_before_top_p() -> None:
    # at temperature 1/2 the first token has 4/6, which reaches 0.6; 1/2 would not
    drawn = draws(SampleConfig(temperature=0.5, top_p=0.6), 0.5, 0.25, 0.25)

    assert set(drawn) == {0}


def test_top_k_comes_before_top_p() -> None:
    # among two tokens the first has 0.4 / 0.7 = 0.57, which reaches 0.5; among all,
    # it has 0.4, which does not
    drawn = draws(SampleConfig(top_k=2, top_p=0.5), 0.4, 0.3, 0.2, 0.1)

    assert set(drawn) == {0}


def test_top_p_comes_before_min_p() -> None:
    # min-p 0.7 keeps 0.4 and 0.3; applied to those, top-p 0.5 would drop the second
    drawn = draws(SampleConfig(top_p=0.5, min_p=0.7), 0.4, 0.3, 0.2, 0.1)

    assert set(drawn) == {0, 1}


# --- greedy and extreme temperatures


def test_temperature_zero_draws_the_most_likely_token() -> None:
    assert set(draws(SampleConfig(temperature=0), 0.3, 0.4, 0.3, n=50)) == {1}


def test_top_k_of_one_is_greedy() -> None:
    greedy = tokens_of(60, config=SampleConfig(temperature=0))

    np.testing.assert_array_equal(tokens_of(60, config=SampleConfig(top_k=1)), greedy)


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-30])
def test_tiny_temperatures_are_greedy(temperature: float) -> None:
    drawn = draws(SampleConfig(temperature=temperature), 0.3, 0.4, 0.3, 0.0, n=50)

    assert set(drawn) == {1}


@pytest.mark.parametrize("temperature", [1e30, 1e39, 1e300, math.inf])
def test_huge_temperatures_are_uniform_over_possible_tokens(
    temperature: float,
) -> None:
    config = SampleConfig(temperature=temperature, top_p=0.999)

    drawn = draws(config, 0.9, 0.09, 0.01, 0.0)

    # a third of 4000 is 1333 +- 30; the limit is 6 of these: false alarm below 1e-8
    assert all(abs(drawn.count(token) - 4000 / 3) < 180 for token in range(3))
    assert 3 not in drawn
