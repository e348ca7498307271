"""N-gram models in files: the same when loaded, and none of what does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ngrams import EIGHT, fit_ngrams

from charrnn.errors import ModelFileError
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.base import build
from charrnn.models.ngram.config import SMOOTHINGS, NgramConfig
from charrnn.storage import tensors as tensor_file
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

MODEL = fit_ngrams([EIGHT, [3, 1], []], NgramConfig(5, 3))
TENSORS = MODEL.tensors()
CONFIG = MODEL.config_json()

every_tensor = pytest.mark.parametrize("name", TENSORS)


def text_model(smoothing: str) -> TextModel:
    text = "how much wood would a woodchuck chuck"
    tokenizer = fit([text], TokenizerConfig(level="char", min_count=1))
    config = NgramConfig(
        tokenizer.vocab_size, 4, smoothing, k=0.25 if smoothing == "addk" else 1.0
    )
    return TextModel(fit_ngrams([tokenizer.encode(text).tolist()], config), tokenizer)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_saved_and_loaded_model_is_unchanged(smoothing: str, tmp_path: Path) -> None:
    model = text_model(smoothing)
    path = tmp_path / "model.safetensors"

    checkpoint.save(path, model)
    loaded = checkpoint.load(path)

    assert loaded.model.config_json() == model.model.config_json()
    assert loaded.model.tensors().keys() == model.model.tensors().keys()
    for name, array in model.model.tensors().items():
        assert loaded.model.tensors()[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.model.tensors()[name], array)
    assert loaded.score("would a wood chuck") == model.score("would a wood chuck")


def test_counts_are_kept_in_the_smallest_integers() -> None:
    dtypes = {str(TENSORS[name].dtype) for name in TENSORS if name != "discounts"}

    assert dtypes == {"uint8"}


# --- tensors that are not those of a model


@every_tensor
def test_missing_tensor_is_named(name: str) -> None:
    rest = {key: array for key, array in TENSORS.items() if key != name}

    with pytest.raises(ValueError, match=name):
        build("ngram", CONFIG, rest)


@every_tensor
def test_tensor_of_another_shape_or_kind_is_named(name: str) -> None:
    array = TENSORS[name]
    for wrong in (
        array[1:],
        array[:0],
        array[None],
        array[0],
        np.append(array, array[:1], axis=0),
        array.astype(np.int64),
        array.astype(np.complex128),
        -array.astype(np.int8),
    ):
        with pytest.raises(ValueError, match=r"tokens|counts|children|discounts"):
            build("ngram", CONFIG, TENSORS | {name: wrong})


def test_tensor_that_is_not_expected_is_named() -> None:
    with pytest.raises(ValueError, match=r"tokens\.4"):
        build("ngram", CONFIG, TENSORS | {"tokens.4": TENSORS["tokens.3"]})


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("tokens.2", 0, 5),  # beyond the vocabulary
        ("tokens.3", -1, 2**63),
        ("tokens.2", 1, 0),  # the children of 0 are then 0, 0: twice there
        ("children.1", 0, 2**64 - 1),
        ("children.1", 0, 0),
        ("children.2", 0, 99),
        ("counts.3", 0, 0),
        ("discounts", (2, 0), 1.5),
        ("discounts", (2, 1), -0.5),
        ("discounts", (0, 2), np.nan),
        ("discounts", (0, 2), np.inf),
    ],
)
def test_value_out_of_its_range_is_refused(name: str, at: Any, value: float) -> None:
    array = TENSORS[name]
    wrong = array.astype(np.uint64 if array.dtype.kind == "u" else np.float64)
    wrong[at] = value

    with pytest.raises(ValueError, match=name):
        build("ngram", CONFIG, TENSORS | {name: wrong})


def test_children_whose_sum_runs_over_are_refused() -> None:
    # 2^64 more than there are: in 64 bits the sum would be right
    children = TENSORS["children.1"].astype(np.uint64)
    children[0] += np.uint64(2**63)
    children[1] += np.uint64(2**63)

    with pytest.raises(ValueError, match=r"children\.1"):
        build("ngram", CONFIG, TENSORS | {"children.1": children})


@pytest.mark.parametrize(
    "change",
    [
        {"order": 0},
        {"order": 2},
        {"order": 10**12},
        {"order": True},
        {"vocab_size": 4},
        {"vocab_size": 2**60},
        {"vocab_size": -1},
        {"smoothing": "mle"},  # without discounts
        {"smoothing": "guess"},
        {"k": 0},
        {"k": 1e-46},
        {"k": 1e308},
        {"k": float("nan")},
        {"k": float("inf")},
        {"k": 10**400},
        {"colour": "red"},
    ],
    ids=str,
)
def test_configuration_that_does_not_fit_is_a_value_error(change: dict) -> None:
    with pytest.raises(ValueError, match="."):
        build("ngram", CONFIG | change, TENSORS)


@given(st.data())
def test_any_numbers_are_refused_or_make_a_language_model(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(TENSORS) - {"discounts"})))
    size = len(TENSORS[name])
    numbers = st.integers(0, 4) | st.sampled_from([255, 2**32, 2**63, 2**64 - 1])
    wrong = np.array(
        data.draw(st.lists(numbers, min_size=size, max_size=size)), np.uint64
    )
    tokens = np.random.default_rng(0).integers(0, 5, (2, 20))

    try:
        model = build("ngram", CONFIG, TENSORS | {name: wrong})
    except ValueError:
        return
    logits, state = model.forward(tokens, model.initial_state(2))
    model.forward(tokens[:1, :1], (state[0][:1],))
    np.testing.assert_allclose(np.exp(logits).sum(axis=-1), 1, atol=1e-5)


def test_file_of_wrong_tensors_is_a_model_file_error(tmp_path: Path) -> None:
    model = text_model("kneser-ney")
    path = tmp_path / "model.safetensors"
    tensors = model.model.tensors()
    tensors["tokens.3"] = tensors["tokens.3"][::-1].copy()
    meta = {
        "config": model.model.config_json() | {"family": "ngram"},
        "tokenizer": model.tokenizer.to_json(),
        "summary": {},
    }
    tensor_file.write_tensors(path, tensors, meta)

    with pytest.raises(ModelFileError, match=r"tokens\.3 is not in order"):
        checkpoint.load(path)
