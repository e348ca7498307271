"""Chains of labels: the conditional probabilities are those of the whole chain."""

from itertools import product

import numpy as np
import pytest

from charrnn.models.labeller.chains import (
    IMPOSSIBLE,
    UNLIKELY,
    add_messages,
    best_chains,
    best_labels,
    listed,
    with_end,
)

B, T, V = 3, 4, 5
COUNTS = np.array([4, 1, 3])


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return emissions (T, B, V) and transitions (V, V)."""
    rng = np.random.default_rng(seed)
    emissions = rng.normal(0, 2, (T, B, V)).astype(np.float32)
    return emissions, rng.normal(0, 2, (V, V)).astype(np.float32)


def potentials(emissions: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    found = with_end(emissions, COUNTS)
    add_messages(found, transitions)
    return found


def scores(
    emissions: np.ndarray, transitions: np.ndarray, row: int
) -> dict[tuple[int, ...], float]:
    """Return the score of every sequence of labels of a row, from the definition."""
    found = {}
    for labels in product(range(1, V), repeat=COUNTS[row]):
        closed = [0, *labels, 0]
        steps = sum(transitions[i, j] for i, j in zip(closed, closed[1:], strict=False))
        found[labels] = float(
            steps + sum(emissions[t, row, j] for t, j in enumerate(labels))
        )
    return found


@pytest.mark.parametrize("row", range(B))
def test_product_of_conditional_probabilities_is_that_of_the_chain(row: int) -> None:
    emissions, transitions = drawn()
    found = potentials(emissions, transitions)[:, row]
    expected = scores(emissions, transitions, row)
    log_z = np.log(sum(np.exp(list(expected.values()))))

    for labels, score in expected.items():
        closed = [0, *labels, 0]
        nats = 0.0
        for t, (i, j) in enumerate(zip(closed, closed[1:], strict=False)):
            logits = (transitions[i] + found[t]).astype(np.float64)
            nats -= logits[j] - np.log(np.exp(logits).sum())
        assert nats == pytest.approx(log_z - score, abs=1e-4)


@pytest.mark.parametrize("n", [1, 4, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_n_best_chains_are_those_with_the_highest_scores(seed: int, n: int) -> None:
    emissions, transitions = drawn(seed)
    found = np.ascontiguousarray(potentials(emissions, transitions).swapaxes(0, 1))

    lists = listed(*best_chains(found, transitions, np.ones((V, V), bool), n))

    for row, best in enumerate(lists):
        every = scores(emissions, transitions, row)
        log_z = np.log(sum(np.exp(list(every.values()))))
        expected = sorted(every, key=every.__getitem__, reverse=True)[:n]
        assert [tuple(ids.tolist()) for ids, _ in best] == expected
        nats = [log_z - every[labels] for labels in expected]
        np.testing.assert_allclose([x for _, x in best], nats, atol=1e-3)


@pytest.mark.parametrize("n", [1, 4, 1000])
def test_independent_labels_are_a_chain_without_transitions(n: int) -> None:
    emissions, _ = drawn()
    closed = np.ascontiguousarray(with_end(emissions, COUNTS).swapaxes(0, 1))
    none = np.zeros((V, V), np.float32)

    independent = listed(*best_labels(closed, n))

    chains = listed(*best_chains(closed, none, np.ones((V, V), bool), n))
    for ours, theirs in zip(independent, chains, strict=True):
        assert [x.tolist() for x, _ in ours] == [x.tolist() for x, _ in theirs]
        np.testing.assert_allclose(
            [x for _, x in ours], [x for _, x in theirs], atol=1e-4
        )


def test_chain_of_two_words_by_hand() -> None:
    # Labels 1 and 2 are equally likely at both words, but 2 follows 1 twice as often
    # as 1 does: p(1, 2) = 2/5, and 1/5 for each of the other three sequences.
    emissions = np.zeros((2, 1, 3), np.float32)
    transitions = np.zeros((3, 3), np.float32)
    transitions[1, 2] = np.log(2)
    found = with_end(emissions, np.array([2]))

    add_messages(found, transitions)

    # p(y_1 = 1) = 3/5 although both labels fit the first word, p(y_2 = 2 | 1) = 2/3
    first = np.exp(transitions[0] + found[0, 0])
    second = np.exp(transitions[1] + found[1, 0])
    np.testing.assert_allclose(first / first.sum(), [0, 3 / 5, 2 / 5], atol=1e-6)
    np.testing.assert_allclose(second / second.sum(), [0, 1 / 3, 2 / 3], atol=1e-6)
    chains = best_chains(found.swapaxes(0, 1), transitions, np.ones((3, 3), bool), 1)
    ((ids, nats),) = listed(*chains)[0]
    assert ids.tolist() == [1, 2]
    assert nats == pytest.approx(np.log(5 / 2), abs=1e-6)


def test_potentials_of_long_chains_stay_small_and_exact() -> None:
    emissions = np.random.default_rng(0).normal(0, 5, (3000, 1, V)).astype(np.float32)
    transitions = drawn()[1]
    found = with_end(emissions, np.array([3000]))

    add_messages(found, transitions)

    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found.max(axis=-1), 0)
    # the first label is as likely as if only the beginning were read
    short = with_end(emissions[:100], np.array([100]))
    add_messages(short, transitions)
    ours, theirs = (np.exp(transitions[0] + x[0, 0]) for x in (found, short))
    np.testing.assert_allclose(ours / ours.sum(), theirs / theirs.sum(), atol=1e-6)


def test_illegal_transitions_are_never_chosen_however_likely() -> None:
    emissions, transitions = drawn()
    legal = np.random.default_rng(4).random((V, V)) < 0.5
    legal[:, 0] = legal[0] = legal[1] = True  # so that there is a legal sequence
    transitions += np.where(legal, 0, UNLIKELY).astype(np.float32)
    emissions += 20 * np.arange(V, dtype=np.float32)
    found = np.ascontiguousarray(potentials(emissions, transitions).swapaxes(0, 1))

    for best in listed(*best_chains(found, transitions, legal, 20)):
        assert best
        for ids, _ in best:
            closed = [0, *ids.tolist(), 0]
            steps = zip(closed, closed[1:], strict=False)
            assert all(legal[i, j] for i, j in steps)


def test_impossible_is_probability_zero_in_float32() -> None:
    assert np.exp(np.float32(IMPOSSIBLE)) == 0
    assert 0 < np.exp(np.float32(UNLIKELY)) < 1e-20
