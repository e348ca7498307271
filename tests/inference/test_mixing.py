"""Mixture weights by expectation-maximization."""

import itertools
import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.models import TableModel, uniform_model
from support.ngrams import part_of_documents

from charrnn.inference.mixing import (
    CONVERGED_NATS,
    best_weights,
    fit_weights,
    improving_weights,
)
from charrnn.inference.scoring import batch_nats
from charrnn.models.mixture import MixtureModel

ROUNDING = 1e-9  # of a sum of about 50 nats in float64

some_nats = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 20)),
    elements=st.floats(0, 30) | st.just(math.inf),
)


def random_table(seed: int, size: int = 6) -> TableModel:
    """Return a model whose rows are drawn from a flat Dirichlet distribution."""
    return TableModel(np.random.default_rng(seed).dirichlet(np.ones(size), size))


def written_by(model: MixtureModel, n: int) -> npt.NDArray[np.int64]:
    """Return n tokens, none of them 0, sampled from a mixture of tables."""
    rng = np.random.default_rng(7)
    every, _ = model.forward(np.arange(6)[None], ())
    table = np.exp(every[0])
    tokens = [0]
    for _ in range(n):
        tokens.append(int(rng.choice(6, p=table[tokens[-1]] / table[tokens[-1]].sum())))
    return np.array(tokens[1:])


# --- worked by hand


def test_first_steps_for_two_tokens_worked_by_hand() -> None:
    # member 0 gives the tokens 1/2 and 1/2, member 1 gives them 1/4 and 1. From equal
    # weights the shares of member 0 are 2/3 and 1/3, so its weight stays 1/2; with
    # 1/8 for the second token its shares are 2/3 and 4/5: 11/15
    stays = improving_weights(-np.log([[1 / 2, 1 / 2], [1 / 4, 1]]))
    moves = improving_weights(-np.log([[1 / 2, 1 / 2], [1 / 4, 1 / 8]]))

    assert [one.weights for one in stays] == [pytest.approx((1 / 2, 1 / 2))]
    first, second = itertools.islice(moves, 2)
    assert first.nats == pytest.approx(-math.log(3 / 8 * 5 / 16))
    assert second.weights == pytest.approx((11 / 15, 4 / 15))


def test_member_that_is_worse_at_every_token_has_no_weight() -> None:
    found = best_weights(np.array([[1.0, 2.0], [1.1, 2.1]]))

    assert found == ((1.0, 0.0), 3.0)


# --- laws


@given(some_nats)
def test_text_is_never_less_likely_after_a_step(nats: np.ndarray) -> None:
    steps = list(itertools.islice(improving_weights(nats), 50))

    for before, after in itertools.pairwise(steps):
        assert after.nats <= before.nats + ROUNDING


@given(some_nats)
def test_weights_are_a_distribution_and_their_nats_those_of_the_mixture(
    nats: np.ndarray,
) -> None:
    found = best_weights(nats)

    assert min(found.weights) >= 0
    assert sum(found.weights) == pytest.approx(1)
    mixed = np.array(found.weights) @ np.exp(-nats)
    with np.errstate(divide="ignore"):
        assert found.nats == pytest.approx(-np.log(mixed).sum(), abs=ROUNDING)


@given(some_nats)
def test_mixture_is_never_worse_than_its_best_member(nats: np.ndarray) -> None:
    assert best_weights(nats).nats <= nats.sum(axis=1).min()


@given(some_nats)
def test_order_of_the_members_changes_nothing_else(nats: np.ndarray) -> None:
    found, turned = best_weights(nats), best_weights(nats[::-1])

    assert turned.nats == pytest.approx(found.nats, abs=20 * CONVERGED_NATS)


@given(some_nats, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_no_other_weights_are_much_better(nats: np.ndarray, others: list) -> None:
    other = np.array(others[: len(nats)]) + 1e-9
    with np.errstate(divide="ignore"):
        theirs = -np.log(other / other.sum() @ np.exp(-nats)).sum()

    found = best_weights(nats)

    assert found.nats <= theirs + nats.shape[1] * CONVERGED_NATS + ROUNDING


# --- models


def test_weights_of_a_mixture_are_recovered_from_its_samples() -> None:
    # over 24 texts of this length, the standard deviation of the weights was at most
    # 0.017; the tolerance is 4 of them
    true = (0.6, 0.3, 0.1)
    members = [random_table(seed) for seed in range(3)]
    text = written_by(MixtureModel(members, true), 5000)

    found = fit_weights(members, part_of_documents([text], end=False))

    assert found.weights == pytest.approx(true, abs=0.07)


def test_nats_are_those_that_the_mixture_gives_the_texts() -> None:
    members = [random_table(1), random_table(2)]
    texts = [np.array([1, 2, 3, 3, 5]), np.array([], np.int64), np.array([4, 4])]

    found = fit_weights(members, part_of_documents(texts))

    mixture = MixtureModel(members, found.weights)
    nats = np.concatenate(batch_nats(mixture, texts, end=True))
    assert len(nats) == 10
    assert found.nats == pytest.approx(nats.sum(), abs=1e-4)


def test_impossible_token_costs_infinite_nats_and_does_not_affect_the_weights() -> None:
    members = [
        TableModel([[0, 0.9, 0.1, 0]] * 4),
        TableModel([[0, 0.1, 0.9, 0]] * 4),
    ]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_weights(members, part_of_documents([[1, 3, 2]], end=False))
        nothing = fit_weights(members, part_of_documents([[3, 3]], end=False))

    assert found == (pytest.approx((0.5, 0.5)), math.inf)
    assert nothing == ((0.5, 0.5), math.inf)


def test_zero_tokens_or_members_are_refused() -> None:
    with pytest.raises(ValueError, match="2 members on 0 tokens"):
        fit_weights([uniform_model(3)] * 2, part_of_documents([[]], end=False))
    with pytest.raises(ValueError, match="no members"):
        fit_weights([], part_of_documents([[1]]))
