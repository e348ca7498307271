"""The contract of a language model, over every family and what it may have."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.models import (
    label,
    models_of_every_family,
    random_model,
    recurrent_configs,
)

from charrnn.models.base import LanguageModel, build, log_softmax
from charrnn.models.families import FAMILIES
from charrnn.models.recurrent import model as recurrent
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import RecurrentModel

B, T = 3, 7
ATOL = 1e-5  # float32, other shapes of the same matrix products


MODELS = models_of_every_family()
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_network = pytest.mark.parametrize("config", list(recurrent_configs()), ids=label)
SMALL = RecurrentConfig(vocab_size=5, cell="gru", layers=2, hidden=4, embed=3)


def some_tokens(model: LanguageModel) -> np.ndarray:
    return np.random.default_rng(1).integers(0, model.vocab_size, (B, T))


# --- laws


def test_every_family_is_among_the_models() -> None:
    # labels need not depend on each other, so these have tests of their own
    others = {"labeller", "bayes", "product"}
    assert {model.family for model in MODELS.values()} == {*FAMILIES} - others


@every_model
def test_softmax_sums_to_one(model: LanguageModel) -> None:
    logits, _ = model.forward(some_tokens(model), model.initial_state(B))

    assert logits.shape == (B, T, model.vocab_size)
    assert logits.dtype == np.float32
    total = np.exp(log_softmax(logits)).sum(axis=-1)
    np.testing.assert_allclose(total, 1, atol=ATOL)


@every_model
def test_probabilities_are_the_softmax_of_the_logits(model: LanguageModel) -> None:
    tokens = some_tokens(model)
    logits, state = model.forward(tokens, model.initial_state(B))

    found, after = model.probabilities(tokens, model.initial_state(B))

    np.testing.assert_allclose(found, np.exp(log_softmax(logits)), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-12)
    for ours, theirs in zip(after, state, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_model
def test_changing_a_token_leaves_the_logits_before_it_alone(
    model: LanguageModel,
) -> None:
    tokens = some_tokens(model)
    before, _ = model.forward(tokens, model.initial_state(B))

    for t in range(T):
        changed = tokens.copy()
        changed[:, t] = (changed[:, t] + 1) % model.vocab_size
        after, _ = model.forward(changed, model.initial_state(B))

        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert not np.allclose(after[:, t], before[:, t], atol=1e-4)


@every_model
def test_whole_sequence_equals_its_pieces_with_carried_state(
    model: LanguageModel,
) -> None:
    tokens = some_tokens(model)
    whole, last = model.forward(tokens, model.initial_state(B))

    for cut in (0, 1, 4, T):  # a piece may be empty
        first, between = model.forward(tokens[:, :cut], model.initial_state(B))
        second, after = model.forward(tokens[:, cut:], between)

        np.testing.assert_allclose(np.hstack([first, second]), whole, atol=ATOL)
        for ours, theirs in zip(after, last, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=ATOL)


@every_model
def test_row_of_a_batch_equals_the_row_alone(model: LanguageModel) -> None:
    tokens = some_tokens(model)
    together, state = model.forward(tokens, model.initial_state(B))

    for row in range(B):
        mine = tokens[row : row + 1]
        alone, after = model.forward(mine, model.initial_state(1))

        np.testing.assert_allclose(together[row : row + 1], alone, atol=ATOL)
        for ours, theirs in zip(state, after, strict=True):
            np.testing.assert_allclose(ours[row : row + 1], theirs, atol=ATOL)


@every_model
def test_forward_changes_neither_its_tokens_nor_its_state(
    model: LanguageModel,
) -> None:
    tokens = some_tokens(model)
    _, state = model.forward(tokens, model.initial_state(B))
    kept = [tokens.copy(), *(array.copy() for array in state)]

    once, _ = model.forward(tokens, state)
    again, _ = model.forward(tokens, state)

    np.testing.assert_array_equal(once, again)
    for array, copy in zip([tokens, *state], kept, strict=True):
        np.testing.assert_array_equal(array, copy)


@every_model
def test_rebuilding_a_model_gives_the_same_logits(model: LanguageModel) -> None:
    tokens = some_tokens(model)
    values = json.loads(json.dumps(model.config_json()))

    rebuilt = build(model.family, values, model.tensors())

    assert rebuilt.config_json() == model.config_json()
    ours, _ = rebuilt.forward(tokens, rebuilt.initial_state(B))
    theirs, _ = model.forward(tokens, model.initial_state(B))
    np.testing.assert_array_equal(ours, theirs)


# --- equal forms


@every_network
def test_large_vocabulary_without_a_table_gives_the_same(
    config: RecurrentConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_table = random_model(config)
    tokens = some_tokens(with_table)
    expected, _ = with_table.forward(tokens, with_table.initial_state(B))
    monkeypatch.setattr(recurrent, "TABLE_SIZE", 0)

    without = random_model(config)
    logits, _ = without.forward(tokens, without.initial_state(B))

    np.testing.assert_allclose(logits, expected, atol=ATOL)


# --- an independent reference


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman"])
@pytest.mark.parametrize("extras", [False, True])
def test_logits_are_those_of_the_same_network_in_torch(cell: str, extras: bool) -> None:
    config = RecurrentConfig(
        7, cell, 2, 5, 3, residual=extras, norm=extras, learned_state=extras
    )
    model = random_model(config)
    w = {name: torch.from_numpy(x) for name, x in model.tensors().items()}
    tokens = np.random.default_rng(2).integers(0, 7, (B, T))

    logits, _ = model.forward(tokens, model.initial_state(B))

    kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}
    states = 2 if cell == "lstm" else 1
    x = torch.nn.functional.embedding(torch.from_numpy(tokens), w["embedding.weight"])
    for k in range(2):
        layer = kinds[cell](x.shape[-1], 5, batch_first=True)
        weights = {n: w[f"layers.{k}.{n[:-3]}"] for n in dict(layer.named_parameters())}
        layer.load_state_dict(weights)
        initial = [
            w[f"initial.{k * states + i}"].expand(1, B, 5).contiguous()
            if extras
            else torch.zeros(1, B, 5)
            for i in range(states)
        ]
        with torch.no_grad():
            y, _ = layer(x, tuple(initial) if states == 2 else initial[0])
        if extras:
            weight, bias = w[f"norms.{k}.weight"], w[f"norms.{k}.bias"]
            y = torch.nn.functional.layer_norm(y, (5,), weight, bias)
        x = y + x if k and extras else y
    expected = x @ w["head.weight"].T + w["head.bias"]
    np.testing.assert_allclose(logits, expected.numpy(), atol=ATOL)


# --- worked by hand


def test_two_tokens_of_an_elman_network_worked_by_hand() -> None:
    # V = 2, E = 0, H = 1: token 0 gives W x = 0.5, token 1 gives -1.0; b = 0.1,
    # U = 2, b' = 0; logits are (3 h, -h) + (0, 0.25)
    config = RecurrentConfig(2, "elman", 1, 1, 0, residual=False, norm=False)
    tensors = {
        "layers.0.weight_ih": [[0.5, -1.0]],
        "layers.0.weight_hh": [[2.0]],
        "layers.0.bias_ih": [0.1],
        "layers.0.bias_hh": [0.0],
        "head.weight": [[3.0], [-1.0]],
        "head.bias": [0.0, 0.25],
    }
    arrays = {name: np.array(x, np.float32) for name, x in tensors.items()}
    model = RecurrentModel(config, arrays)

    logits, (state,) = model.forward(np.array([[0, 1]]), model.initial_state(1))

    h1 = math.tanh(0.5 + 0.1)
    h2 = math.tanh(-1.0 + 0.1 + 2 * h1)
    expected = [[3 * h1, -h1 + 0.25], [3 * h2, -h2 + 0.25]]
    np.testing.assert_allclose(logits[0], expected, atol=1e-6)
    np.testing.assert_allclose(state, [[h2]], atol=1e-6)


def test_learned_state_is_the_state_before_any_token() -> None:
    model = random_model(replace(SMALL, learned_state=True))

    state = model.initial_state(2)

    for k, array in enumerate(state):
        expected = model.tensors()[f"initial.{k}"]
        np.testing.assert_array_equal(array, np.stack([expected, expected]))


def test_norm_of_a_layer_has_mean_zero_and_variance_one() -> None:
    config = RecurrentConfig(5, "elman", 1, 5, 3, residual=False)
    tensors = random_model(config).tensors()
    tensors["norms.0.weight"] = np.ones(5, np.float32)
    tensors["norms.0.bias"] = np.zeros(5, np.float32)
    tensors["head.weight"] = np.eye(5, dtype=np.float32)
    tensors["head.bias"] = np.zeros(5, np.float32)
    model = RecurrentModel(config, tensors)

    outputs, _ = model.forward(np.array([[1, 2, 3]]), model.initial_state(1))

    np.testing.assert_allclose(outputs.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(outputs.var(axis=-1), 1, atol=1e-3)


def test_log_softmax_of_very_large_logits_is_finite() -> None:
    logits = np.array([[3e38, 3e38, -3e38], [-3e38, -3e38, -3e38]], np.float32)

    with np.errstate(over="ignore"):
        result = log_softmax(logits)

    np.testing.assert_allclose(result[0, :2], -math.log(2), atol=1e-6)
    np.testing.assert_allclose(result[1], -math.log(3), atol=1e-6)
