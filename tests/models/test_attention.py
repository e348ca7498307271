"""The kinds of attention: worked by hand, and their laws."""

import math

import numpy as np
import pytest
import torch

from charrnn.models import ATTENTIONS
from charrnn.models.attention import attention_weights
from charrnn.models.cells import NUMPY
from charrnn.models.layers import TORCH

B, T, S, H, D = 3, 4, 5, 6, 12
every_attention = pytest.mark.parametrize("name", ATTENTIONS)


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(0, 1, shape).astype(np.float32)


def scores_of(name: str, queries: np.ndarray, memory: np.ndarray) -> np.ndarray:
    kind = ATTENTIONS[name]
    shapes = kind.shapes(queries.shape[-1], memory.shape[-1])
    weights = {n: drawn(*x) for n, x in shapes.items()}
    keys = kind.keys(memory, queries.shape[-1], weights)
    found: np.ndarray = kind.scores(NUMPY, queries, keys, weights)
    return found


# --- laws


@every_attention
def test_weights_sum_to_one_and_are_exactly_zero_on_padding(name: str) -> None:
    lengths = np.array([S, 1, 3])

    weights = attention_weights(
        scores_of(name, drawn(B, T, H), drawn(B, S, D)), lengths
    )

    assert weights.shape == (B, T, S)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)
    for row, length in zip(weights, lengths, strict=True):
        assert not row[:, length:].any()


@every_attention
def test_equal_memories_get_equal_weights(name: str) -> None:
    memory = np.repeat(drawn(B, 1, D), S, axis=1)

    scores = scores_of(name, drawn(B, T, H), memory)

    weights = attention_weights(scores, np.full(B, S))
    np.testing.assert_allclose(weights, 1 / S, atol=1e-6)


@every_attention
def test_equations_give_the_same_in_torch(name: str) -> None:
    queries, memory = drawn(B, T, H), drawn(B, S, D)
    kind = ATTENTIONS[name]
    weights = {n: torch.from_numpy(drawn(*x)) for n, x in kind.shapes(H, D).items()}

    keys = kind.keys(torch.from_numpy(memory), H, weights)
    scores = kind.scores(TORCH, torch.from_numpy(queries), keys, weights)

    expected = scores_of(name, queries, memory)
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-5)


def test_very_large_scores_give_finite_weights() -> None:
    scores = np.array([[[3e38, -3e38, 3e38]]], np.float32)

    with np.errstate(over="ignore"):
        weights = attention_weights(scores, np.array([2]))

    np.testing.assert_array_equal(weights, [[[1, 0, 0]]])


# --- worked by hand

QUERY, MEMORY = (1.0, 2.0), ((0.5, -1.0), (3.0, 0.25))


def test_dot_attention_worked_by_hand() -> None:
    (scores,) = scores_of("dot", np.array([[QUERY]]), np.array([MEMORY]))

    np.testing.assert_allclose(scores, [[0.5 - 2, 3 + 0.5]])


def test_dot_attention_to_two_directions_adds_them() -> None:
    both = np.hstack([MEMORY, MEMORY[::-1]])

    (scores,) = scores_of("dot", np.array([[QUERY]]), both[None])

    np.testing.assert_allclose(scores, [[-1.5 + 3.5, 3.5 - 1.5]])


def test_general_attention_worked_by_hand() -> None:
    w = {"weight_key": np.array([[2.0], [-1.0]])}  # K, for a memory of size 1
    kind = ATTENTIONS["general"]

    keys = kind.keys(np.array([[[3.0], [5.0]]]), 2, w)

    scores = kind.scores(NUMPY, np.array([[QUERY]]), keys, w)
    np.testing.assert_allclose(scores[0], [[(2 - 2) * 3, (2 - 2) * 5]])


def test_additive_attention_worked_by_hand() -> None:
    w = {
        "weight_key": np.array([[2.0], [-1.0]]),
        "bias_key": np.array([0.1, 0.2]),
        "weight_query": np.array([[1.0, 0.5], [0.0, -1.0]]),
        "weight_score": np.array([[3.0, 4.0]]),
    }
    kind = ATTENTIONS["additive"]

    keys = kind.keys(np.array([[[0.3], [-0.7]]]), 2, w)

    scores = kind.scores(NUMPY, np.array([[QUERY]]), keys, w)
    expected = [
        3 * math.tanh(1 + 1 + 2 * m + 0.1) + 4 * math.tanh(-2 - m + 0.2)
        for m in (0.3, -0.7)
    ]
    np.testing.assert_allclose(scores[0], [expected])
