"""Configurations: what makes no sense is refused, and JSON comes back."""

import json
import math

import pytest

from charrnn.data.config import CorpusConfig
from charrnn.errors import UsageError
from charrnn.fields import from_json, to_json
from charrnn.inference.config import SampleConfig
from charrnn.training.config import TrainConfig


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": math.nan},
        {"min_p": -0.1},
        {"min_p": math.nan},
        {"top_k": -1},
        {"top_k": 2.5},
        {"length": -1},
        {"length": 2.5},
        {"length": math.nan},
        {"stop": ("",)},
        {"stop": "the"},
    ],
    ids=str,
)
def test_values_that_make_no_sense_are_refused(values: dict) -> None:
    with pytest.raises(UsageError):
        SampleConfig(**values)


def test_temperature_that_is_no_number_is_not_said_to_be_below_0() -> None:
    with pytest.raises(UsageError, match="`temperature` is nan, not a finite number"):
        SampleConfig(temperature=math.nan)


def test_configuration_comes_back_from_json() -> None:
    config = SampleConfig(temperature=0.5, top_k=3, stop=("a", "é\n"))

    assert from_json(SampleConfig, json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize(
    "values", [{"stop": "abc"}, {"stop": [1]}, {"top_k": 1.5}, {"top_p": 2}], ids=str
)
def test_json_of_another_type_or_without_sense_is_a_value_error(values: dict) -> None:
    with pytest.raises(ValueError, match="stop|top"):
        from_json(SampleConfig, values)


@pytest.mark.parametrize("name", ["lr", "clip", "weight_decay", "epochs", "time_s"])
@pytest.mark.parametrize("value", [math.inf, math.nan, -1.0])
def test_training_takes_no_number_that_is_none(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"`{name.removesuffix('_s')}` is"):
        TrainConfig(**{name: value})


@pytest.mark.parametrize("typed", ["lines", "Line", "FILE", "blanks"])
def test_mistyped_kind_of_documents_is_no_separator(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        CorpusConfig(documents=typed)

    assert caught.value.hint == f"did you mean {typed.lower().removesuffix('s')}?"
