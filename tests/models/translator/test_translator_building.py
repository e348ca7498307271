"""Translators from configurations and tensors: worked by hand, and what is refused."""

import math

import numpy as np
import pytest
from support.translators import (
    COPIES,
    N,
    V,
    random_translator,
    some_inputs,
    translator_config,
)

from charrnn.errors import UsageError
from charrnn.models.base import build, log_softmax
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.model import TranslatorModel, parameter_shapes


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# --- worked by hand


@pytest.mark.parametrize("copy", [False, True])
def test_two_steps_of_a_translator_worked_by_hand(copy: bool) -> None:
    # everything has size 1; the encoder reads from left to right, without norms
    copies = (0, 1) if copy else ()
    config = TranslatorConfig(2, 2, "elman", 1, 1, 1, True, False, "dot", copy, copies)
    values = {
        "source_embedding.weight": [[0.5], [-1.0]],
        "encoder.layers.0.weight_ih": [[0.7]],
        "encoder.layers.0.weight_hh": [[0.3]],
        "encoder.layers.0.bias_ih": [0.1],
        "encoder.layers.0.bias_hh": [0.0],
        "bridge.weight": [[2.0], [-3.0]],
        "bridge.bias": [0.2, 0.0],
        "embedding.weight": [[1.5], [-0.5]],
        "decoder.0.weight_ih": [[0.9]],
        "decoder.0.weight_hh": [[-0.4]],
        "decoder.0.bias_ih": [0.0],
        "decoder.0.bias_hh": [0.3],
        "decoder.1.weight_ih": [[0.6, 1.1]],
        "decoder.1.weight_hh": [[0.8]],
        "decoder.1.bias_ih": [-0.1],
        "decoder.1.bias_hh": [0.0],
        "read_out.weight": [[1.0, -0.7]],
        "read_out.bias": [0.05],
        "head.weight": [[1.0], [-2.0]],
        "head.bias": [0.0, 0.5],
    }
    if copy:
        values |= {"gate.weight": [[1.5]], "gate.bias": [-0.25]}
    tensors = {name: np.array(x, np.float32) for name, x in values.items()}
    model = TranslatorModel(config, tensors)

    state = model.read(np.array([[1, 0]]), np.array([2]))
    logits, _ = model.forward(np.array([[0, 1]]), state)

    m = [math.tanh(-0.7 + 0.1)]
    m.append(math.tanh(0.35 + 0.1 + 0.3 * m[0]))
    q, h = math.tanh(2 * m[1] + 0.2), math.tanh(-3 * m[1])
    for t, embedded in enumerate((1.5, -0.5)):
        q = math.tanh(0.9 * embedded - 0.4 * q + 0.3)
        a = 1 / (1 + math.exp(q * m[1] - q * m[0]))  # weight of the first position
        c = a * m[0] + (1 - a) * m[1]
        h = math.tanh(0.6 * q + 1.1 * c - 0.1 + 0.8 * h)
        r = math.tanh(h + q - 0.7 * c + 0.05)
        expected = [r, -2 * r + 0.5]
        if copy:  # only the first position, which holds token 1, can be copied
            g = sigmoid(1.5 * r - 0.25)
            p = 1 / (1 + math.exp(expected[1] - expected[0]))
            written, copied = 1 - (1 - g) * a, (1 - g) * a
            expected = [
                math.log(written * p),
                math.log(written * (1 - p) + copied),
            ]
        np.testing.assert_allclose(logits[0, t], expected, atol=1e-6)


# --- what is refused


@pytest.mark.parametrize("name", parameter_shapes(translator_config(copy=True)))
def test_missing_tensor_and_tensor_of_another_shape_are_named(name: str) -> None:
    config = translator_config(copy=True)
    tensors = random_translator(config).tensors()

    with pytest.raises(ValueError, match=f"{name} has shape"):
        TranslatorModel(config, tensors | {name: tensors[name][1:]})
    del tensors[name]
    with pytest.raises(ValueError, match=name):
        TranslatorModel(config, tensors)


@pytest.mark.parametrize(
    "change",
    [
        {"layers": 10**12},
        {"attention": "full"},
        {"attention": "none", "copy": True, "copies": list(COPIES)},
        {"source_size": 0},
        {"vocab_size": -1},
        {"embed": 0},
        {"copies": [1] * (N - 1)},
        {"copy": True, "copies": [V] * N},
        {"copy": True, "copies": [-1] * N},
        {"copy": True, "copies": [1.5] * N},
    ],
    ids=str,
)
def test_configuration_that_does_not_fit_is_a_value_error(change: dict) -> None:
    model = random_translator(translator_config())

    with pytest.raises(ValueError, match="."):
        build("translator", model.config_json() | change, model.tensors())


def test_without_tokens_to_copy_copying_is_learned_but_changes_nothing() -> None:
    config = translator_config(copy=True, copies=())
    copying = random_translator(config)
    tensors = copying.tensors()
    del tensors["gate.weight"], tensors["gate.bias"]
    plain = TranslatorModel(translator_config(), tensors)
    tokens, (source, lengths) = np.array([[0, 1, 2]]), some_inputs(4)

    found, _ = copying.forward(tokens, copying.read(source, lengths))

    logits, _ = plain.forward(tokens, plain.read(source, lengths))
    np.testing.assert_allclose(found, log_softmax(logits), atol=1e-5)


def test_copying_without_attention_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="`copy` needs attention"):
        translator_config(attention="none", copy=True)
