"""Tensors and configurations that do not fit make no model."""

from typing import Any

import numpy as np
import pytest
from support.models import random_model

from charrnn.models.base import build
from charrnn.models.families import FAMILIES
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import RecurrentModel, parameter_shapes

SMALL = RecurrentConfig(vocab_size=5, cell="gru", layers=2, hidden=4, embed=3)


@pytest.mark.parametrize("name", parameter_shapes(SMALL))
def test_missing_tensor_is_named(name: str) -> None:
    tensors = random_model(SMALL).tensors()
    del tensors[name]

    with pytest.raises(ValueError, match=name):
        RecurrentModel(SMALL, tensors)


@pytest.mark.parametrize("name", parameter_shapes(SMALL))
def test_tensor_of_another_shape_is_named(name: str) -> None:
    tensors = random_model(SMALL).tensors()
    for wrong in (tensors[name][1:], tensors[name][..., None], tensors[name][0]):
        with pytest.raises(ValueError, match=f"{name} has shape"):
            RecurrentModel(SMALL, tensors | {name: wrong})


def test_tensor_that_is_not_expected_is_named() -> None:
    tensors = random_model(SMALL).tensors()

    with pytest.raises(ValueError, match="layers.9.odd"):
        RecurrentModel(SMALL, tensors | {"layers.9.odd": np.zeros(1)})


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.complex64])
def test_tensor_that_does_not_hold_real_numbers_is_refused(dtype: type) -> None:
    tensors = random_model(SMALL).tensors()
    tensors["head.bias"] = tensors["head.bias"].astype(dtype)

    with pytest.raises(ValueError, match="head.bias"):
        RecurrentModel(SMALL, tensors)


def test_half_precision_tensors_run_in_float32() -> None:
    tensors = random_model(SMALL).tensors()
    halves = {name: x.astype(np.float16) for name, x in tensors.items()}

    model = RecurrentModel(SMALL, halves)

    logits, state = model.forward(np.array([[1, 2]]), model.initial_state(1))
    assert {logits.dtype, *(array.dtype for array in state)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "change",
    [
        {"layers": 0},
        {"layers": 10**12},
        {"layers": True},
        {"hidden": 2**60},
        {"hidden": 4.0},
        {"vocab_size": -1},
        {"cell": "transformer"},
        {"cell": None},
        {"embed": 0, "tie": True},
        {"colour": "red"},
    ],
    ids=str,
)
def test_configuration_that_does_not_fit_is_a_value_error(change: dict) -> None:
    model = random_model(SMALL)

    with pytest.raises(ValueError, match="."):
        build("recurrent", model.config_json() | change, model.tensors())


def test_configuration_without_a_vocabulary_size_is_a_value_error() -> None:
    model = random_model(SMALL)
    config = model.config_json()
    del config["vocab_size"]

    with pytest.raises(ValueError, match="vocab_size"):
        build("recurrent", config, model.tensors())


@pytest.mark.parametrize("family", ["oracle", "", None, ["recurrent"], {}], ids=str)
def test_unknown_family_is_refused_with_the_families_there_are(family: Any) -> None:
    with pytest.raises(ValueError, match=", ".join(FAMILIES)):
        build(family, {}, {})
