"""The faster forms: the same numbers as the plain ones, and what stays the caller's."""

import itertools

import numpy as np
import pytest
from support.models import random_model, random_text_model, uniform_model

from charrnn.inference import threads
from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import generate
from charrnn.inference.scoring import batch_nats
from charrnn.models import CELLS
from charrnn.models.base import State
from charrnn.models.recurrent import steps
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.steps import Steps, steps_of

every_cell = pytest.mark.parametrize("cell", CELLS)
ATOL = 1e-5  # float32, other order of the same operations
T, B, E, H = 20, 3, 4, 8


def run(layer: Steps, x: np.ndarray, state: State) -> tuple[np.ndarray, State]:
    outputs = np.empty((*x.shape[:2], H), np.float32)
    last = layer.run(x @ layer.weight_ih + layer.bias, state, outputs)
    return outputs, last


@every_cell
@pytest.mark.parametrize("batch", [1, B])
def test_fast_form_of_a_cell_equals_its_equations(cell: str, batch: int) -> None:
    rng = np.random.default_rng(3)
    shapes = steps.CELLS[cell].shapes(E, H)
    weights = {n: rng.normal(0, 0.5, s).astype(np.float32) for n, s in shapes.items()}
    x = rng.normal(0, 1, (T, batch, E)).astype(np.float32)
    state = tuple(
        rng.normal(0, 0.5, (batch, H)).astype(np.float32)
        for _ in range(steps.CELLS[cell].states)
    )

    outputs, last = run(steps_of(cell, weights), x, state)

    expected, expected_last = run(Steps(cell, weights), x, state)
    np.testing.assert_allclose(outputs, expected, atol=ATOL)
    for ours, theirs in zip(last, expected_last, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=ATOL)


@every_cell
def test_state_of_a_model_is_not_changed_by_what_is_read_later(cell: str) -> None:
    model = random_model(RecurrentConfig(9, cell, 2, H, E))
    tokens = np.random.default_rng(1).integers(0, 9, (B, T))
    logits, state = model.forward(tokens, model.initial_state(B))
    kept = [array.copy() for array in (logits, *state)]

    _, later = model.forward(tokens, state)

    for array, copy in zip((logits, *state), kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    for old, new in zip(state, later, strict=True):
        assert not np.shares_memory(old, new)


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "free_cores", lambda: 3)
    monkeypatch.setattr(threads, "LEAST_WORK", 1)


def test_scores_do_not_depend_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, three_threads: None
) -> None:
    model = random_model(RecurrentConfig(9, "lstm", 2, H, E))
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, 9, n) for n in (0, 1, 7, 8, 50, 50, 51)]
    shared = batch_nats(model, texts, end=True)

    monkeypatch.setattr(threads, "free_cores", lambda: 1)

    alone = batch_nats(model, texts, end=True)
    for ours, theirs in zip(shared, alone, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=ATOL)


def test_tokens_do_not_depend_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, three_threads: None
) -> None:
    model = random_model(RecurrentConfig(9, "gru", 1, H, E))

    def written() -> np.ndarray:
        rngs = [np.random.default_rng(seed) for seed in range(5)]
        drawn = generate(model, np.array([2]), SampleConfig(), rngs=rngs)
        return np.stack([one.tokens for one in itertools.islice(drawn, 60)])

    shared = written()
    monkeypatch.setattr(threads, "free_cores", lambda: 1)

    np.testing.assert_array_equal(shared, written())


def test_model_without_a_state_is_read_in_threads(three_threads: None) -> None:
    nats = batch_nats(uniform_model(4), [np.ones(3, int)] * 5)

    np.testing.assert_allclose(nats, np.log(4), atol=1e-6)


def test_an_error_in_a_thread_is_the_callers(three_threads: None) -> None:
    model = random_text_model(["the cat"]).model

    with pytest.raises(IndexError):
        batch_nats(model, [np.array([10_000])] * 4 + [np.array([1, 1, 1])])
