"""Translators: the laws of a model that reads an input, and of copying."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from support.translators import (
    N,
    V,
    random_translator,
    some_inputs,
    translator_config,
    translator_configs,
    translator_label,
)

from charrnn.models.base import log_softmax, softmax
from charrnn.models.translator import model as translator
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.model import copy_scores

ATOL = 1e-5  # float32, other shapes of the same matrix products
CONFIGS = list(translator_configs())
every_config = pytest.mark.parametrize("config", CONFIGS, ids=translator_label)
with_attention = pytest.mark.parametrize(
    "config",
    [config for config in CONFIGS if config.attention != "none"],
    ids=translator_label,
)
LENGTHS = (5, 1, 3)


def some_tokens(T: int = 6, B: int = len(LENGTHS), seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, V, (B, T))


# --- laws


@every_config
def test_padded_row_equals_the_row_alone(config: TranslatorConfig) -> None:
    model, tokens = random_translator(config), some_tokens()
    source, lengths = some_inputs(*LENGTHS)
    together, state = model.forward(tokens, model.read(source, lengths))

    for row, length in enumerate(LENGTHS):
        mine = slice(row, row + 1)
        before = model.read(source[mine, :length], lengths[mine])
        alone, after = model.forward(tokens[mine], before)

        np.testing.assert_allclose(together[mine], alone, atol=ATOL)
        np.testing.assert_allclose(state[0][mine], after[0], atol=ATOL)


@every_config
def test_padding_makes_no_difference(config: TranslatorConfig) -> None:
    model, tokens = random_translator(config), some_tokens()
    source, lengths = some_inputs(*LENGTHS)
    padded = np.where(np.arange(5) < lengths[:, None], source, 3)

    found, _ = model.forward(tokens, model.read(padded, lengths))

    expected, _ = model.forward(tokens, model.read(source, lengths))
    np.testing.assert_array_equal(found, expected)


@every_config
def test_every_input_token_makes_a_difference(config: TranslatorConfig) -> None:
    model, tokens = random_translator(config), some_tokens(1, 1)
    source, lengths = some_inputs(5)
    expected, _ = model.forward(tokens, model.read(source, lengths))

    for s in range(5):
        changed = source.copy()
        changed[0, s] = (changed[0, s] + 1) % N
        found, _ = model.forward(tokens, model.read(changed, lengths))

        assert not np.allclose(found, expected, atol=1e-4)


@every_config
def test_whole_output_equals_its_tokens_one_by_one(config: TranslatorConfig) -> None:
    model, tokens = random_translator(config), some_tokens()
    state = model.read(*some_inputs(*LENGTHS))
    whole, last = model.forward(tokens, state)

    found = []
    for t in range(tokens.shape[1]):
        logits, state = model.forward(tokens[:, t : t + 1], state)
        found.append(logits)

    np.testing.assert_allclose(np.hstack(found), whole, atol=ATOL)
    for ours, theirs in zip(state, last, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=ATOL)


@every_config
def test_rows_of_a_state_can_be_taken_in_any_order(config: TranslatorConfig) -> None:
    model, tokens = random_translator(config), some_tokens()
    state = model.read(*some_inputs(*LENGTHS))
    expected, _ = model.forward(tokens, state)
    order = np.array([2, 0, 0, 1])

    found, _ = model.forward(tokens[order], tuple(array[order] for array in state))

    np.testing.assert_allclose(found, expected[order], atol=ATOL)


@every_config
def test_ended_outputs_and_unended_prefixes_have_all_the_probability(
    config: TranslatorConfig,
) -> None:
    small = replace(
        config,
        vocab_size=3,
        copies=tuple(min(token, 2) for token in config.copies),
    )
    model, n = random_translator(small), 4
    source, lengths = some_inputs(5)
    texts = np.array(list(itertools.product((1, 2), repeat=n)))  # all of length n
    inputs = np.column_stack([np.zeros(len(texts), int), texts])
    state = model.read(source.repeat(len(texts), 0), lengths.repeat(len(texts)))
    p, _ = model.probabilities(inputs, state)

    # after[:, t]: the probability of the first t tokens
    following = np.take_along_axis(p[:, :n], texts[..., None], -1)[..., 0]
    after = np.cumprod(np.column_stack([np.ones(len(texts)), following]), axis=1)
    # each prefix of t tokens is that of 2^(n-t) texts
    shares = after / 2.0 ** np.arange(n, -1, -1)
    ended = (shares * p[:, :, 0]).sum()
    unended = (shares[:, n] * p[:, n, 1:].sum(axis=-1)).sum()

    assert 0 < ended < 1
    assert ended + unended == pytest.approx(1, abs=1e-6)


@with_attention
def test_attention_sums_to_one_and_is_exactly_zero_on_padding(
    config: TranslatorConfig,
) -> None:
    model, tokens = random_translator(config), some_tokens()

    weights = model.attention(tokens, model.read(*some_inputs(*LENGTHS)))

    assert weights.shape == (3, 6, 5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=ATOL)
    for row, length in zip(weights, LENGTHS, strict=True):
        assert not row[:, length:].any()
        assert (row[:, :length] > 0).all()


def test_without_attention_the_summary_has_all_the_weight() -> None:
    model = random_translator(translator_config(attention="none"))

    weights = model.attention(some_tokens(), model.read(*some_inputs(*LENGTHS)))

    np.testing.assert_array_equal(weights, np.ones((3, 6, 1)))


def test_long_output_is_scored_in_several_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, tokens = random_translator(translator_config()), some_tokens(T=50)
    state = model.read(*some_inputs(*LENGTHS))
    expected, _ = model.forward(tokens, state)

    monkeypatch.setattr(translator, "MOST_SCORED", 7 * state[-2].size)

    np.testing.assert_allclose(model.forward(tokens, state)[0], expected, atol=ATOL)


# --- copying


def copying(
    logits: object, gate: object, weights: object, copies: object
) -> np.ndarray:
    """Return the probabilities of one row and step."""
    arrays = [np.array([[x]], np.float32) for x in (logits, [gate], weights)]
    return np.exp(copy_scores(*arrays, np.array([copies]))[0, 0])


def test_copying_worked_by_hand() -> None:
    # the softmax is uniform over 4 tokens; a quarter of the attention cannot be copied
    p = copying([0, 0, 0, 0], 0.2, [0.5, 0.25, 0.25], [2, 0, 2])

    written = 1 - 0.8 * 0.75
    expected = [written / 4, written / 4, written / 4 + 0.8 * 0.75, written / 4]
    np.testing.assert_allclose(p, expected, atol=1e-6)


@pytest.mark.parametrize("gate", [0.0, 1e-30, 0.5, 1.0])
def test_input_without_a_token_to_copy_leaves_the_softmax(gate: float) -> None:
    logits = [1.0, -2.0, 30.0, 0.5]

    p = copying(logits, gate, [0.5, 0.5], [0, 0])

    np.testing.assert_allclose(p, softmax(np.array(logits)), atol=1e-6)


def test_gate_of_zero_only_copies_and_gate_of_one_only_writes() -> None:
    copied = copying([9, 9, 9], 0.0, [0.25, 0.75], [1, 2])
    written = copying([0, 0, 0], 1.0, [0.25, 0.75], [1, 2])

    np.testing.assert_allclose(copied, [0, 0.25, 0.75], atol=1e-6)
    np.testing.assert_allclose(written, [1 / 3, 1 / 3, 1 / 3], atol=1e-6)


def test_probabilities_of_copying_sum_to_one_and_stay_finite() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 100, (50, 3, V)).astype(np.float32)
    gate = rng.choice([0, 1e-20, 0.3, 1], (50, 3, 1)).astype(np.float32)
    weights = softmax(rng.normal(0, 30, (50, 3, 6)).astype(np.float32))
    copies = rng.integers(0, V, (50, 6)) * rng.integers(0, 2, (50, 1))

    scores = copy_scores(logits, gate, weights.astype(np.float32), copies)

    assert np.isfinite(scores).all()
    np.testing.assert_allclose(np.exp(scores).sum(axis=-1), 1, atol=1e-5)


def test_scores_of_copying_are_log_probabilities() -> None:
    config = translator_config(copy=True)
    model = random_translator(config)

    logits, _ = model.forward(some_tokens(), model.read(*some_inputs(*LENGTHS)))

    np.testing.assert_allclose(log_softmax(logits), logits, atol=ATOL)
