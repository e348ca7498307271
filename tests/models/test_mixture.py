"""The mixture: what it says, and which there may be; its laws are in test_models."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.mixtures import TEXT, mixed_text_model
from support.models import TableModel, random_model, uniform_model

from charrnn.errors import ModelFileError
from charrnn.inference import checkpoint
from charrnn.inference.config import SampleConfig
from charrnn.inference.scoring import batch_nats
from charrnn.models.base import LanguageModel, build
from charrnn.models.mixture import MAX_MEMBERS, MixtureModel
from charrnn.models.ngram.config import SMOOTHINGS
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.storage import tensors as tensor_file

SMALL = RecurrentConfig(vocab_size=5, cell="lstm", hidden=3, embed=2)


def network(seed: int = 0) -> LanguageModel:
    return random_model(SMALL, seed=seed)


MIXTURE = MixtureModel([network(0), network(1)], [0.25, 0.75])
CONFIG, TENSORS = MIXTURE.config_json(), MIXTURE.tensors()
MEMBER = CONFIG["members"][0]


def probabilities(model: LanguageModel, tokens: list[int]) -> np.ndarray:
    """Return p(. | tokens before), (T, V), after each of the tokens."""
    logits, _ = model.forward(np.array([tokens]), model.initial_state(1))
    return np.exp(logits[0])


# --- what it says


def test_mixture_is_called_by_the_number_of_its_members_or_as_the_only_one() -> None:
    assert MIXTURE.title == "mixture of 2"
    assert MixtureModel([network()], [1]).title == network().title


def test_mixture_of_two_tables_worked_by_hand() -> None:
    # after 0:  1/4 (0.5, 0.5) + 3/4 (0.1, 0.9) = (0.2, 0.8)
    # after 1:  1/4 (1.0, 0.0) + 3/4 (0.0, 1.0) = (0.25, 0.75)
    first = TableModel([[0.5, 0.5], [1.0, 0.0]])
    second = TableModel([[0.1, 0.9], [0.0, 1.0]])
    mixture = MixtureModel([first, second], [1 / 4, 3 / 4])

    found = probabilities(mixture, [0, 1])

    np.testing.assert_allclose(found, [[0.2, 0.8], [0.25, 0.75]], atol=1e-6)


def test_unnormalised_scores_of_a_member_are_weighed_as_probabilities() -> None:
    # 3 (0.5, 0.5) says (0.5, 0.5); the other (0, 1)
    mixture = MixtureModel(
        [TableModel(np.full((2, 2), 1.5)), TableModel([[0, 1], [0, 1]])], [0.5, 0.5]
    )

    np.testing.assert_allclose(probabilities(mixture, [0]), [[0.25, 0.75]], atol=1e-6)


def test_token_that_no_member_thinks_possible_has_no_probability() -> None:
    members = [TableModel([[1, 0, 0]] * 3), TableModel([[0, 1, 0]] * 3)]
    mixture = MixtureModel(members, [0.5, 0.5])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (nats,) = batch_nats(mixture, [np.array([1, 2])])

    assert nats.tolist() == pytest.approx([math.log(2), math.inf])


def test_state_is_the_states_of_the_members_one_after_the_other() -> None:
    tokens = np.array([[1, 2], [3, 4]])

    _, state = MIXTURE.forward(tokens, MIXTURE.initial_state(2))

    first, second = (
        member.forward(tokens, member.initial_state(2))[1] for member in MIXTURE.members
    )
    for ours, theirs in zip(state, first + second, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_mixture_of_mixtures_is_the_mixture_of_all_their_members() -> None:
    inner = MixtureModel([network(0), network(1)], [0.25, 0.75])
    outer = MixtureModel([inner, network(2)], [0.5, 0.5])

    flat = MixtureModel([network(0), network(1), network(2)], [0.125, 0.375, 0.5])

    assert outer.config_json() == flat.config_json()
    halves = [
        probabilities(MixtureModel([model], [1]), [1, 2]) / 2
        for model in (inner, network(2))
    ]
    np.testing.assert_allclose(probabilities(outer, [1, 2]), sum(halves), atol=1e-6)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_nats_of_a_sample_are_those_that_score_gives_its_text(smoothing: str) -> None:
    model = mixed_text_model(smoothing)

    for sample in model.sample("wood", num=3, seed=1, config=SampleConfig(length=60)):
        score = model.score(sample.text, context="wood", end=sample.finish == "end")

        assert sample.nats == pytest.approx(score.nats, abs=1e-4)


# --- in a file


def test_saved_and_loaded_mixture_is_unchanged(tmp_path: Path) -> None:
    model = mixed_text_model()
    path = tmp_path / "model.safetensors"

    checkpoint.save(path, model)
    loaded = checkpoint.load(path)

    assert loaded.model.config_json() == model.model.config_json()
    assert loaded.model.tensors().keys() == model.model.tensors().keys()
    for name, array in model.model.tensors().items():
        assert loaded.model.tensors()[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.model.tensors()[name], array)
    assert loaded.score(TEXT) == model.score(TEXT)


# --- what is no mixture


@pytest.mark.parametrize(
    "weights",
    [
        [0.5, 0.5, 0.0],
        [1.5, -0.25, -0.25],
        [0.5, 0.25, 0.125],
        [1, 1, 1],
        [0.5, 0.25, math.nan],
        [0.5, 0.25, math.inf],
        [1e308, 1e308, 1e308],
        [0.5, 0.5],
        [],
    ],
    ids=str,
)
def test_weights_that_are_not_positive_with_the_sum_one_are_refused(
    weights: list[float],
) -> None:
    members = [network(0), network(1), network(2)]

    with pytest.raises(ValueError, match="weights"):
        MixtureModel(members, weights)


def test_members_of_different_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sizes differ: \[2, 3\]"):
        MixtureModel([uniform_model(2), uniform_model(3)], [0.5, 0.5])


def test_more_members_than_a_file_may_have_are_refused_also_inside_mixtures() -> None:
    many = MAX_MEMBERS // 2 + 1
    inner = MixtureModel([uniform_model(2)] * many, [1 / many] * many)

    with pytest.raises(ValueError, match=f"{2 * many} members"):
        MixtureModel([inner, inner], [0.5, 0.5])


def nested(depth: int) -> dict[str, Any]:
    """Return the config of a mixture of a mixture of ... of a network."""
    config = MEMBER
    for _ in range(depth):
        config = {"family": "mixture", "weights": [1.0], "members": [config]}
    return {key: config[key] for key in ("weights", "members")}


every_hostile_configuration = pytest.mark.parametrize(
    "config",
    [
        {},
        {"weights": [1.0]},
        CONFIG | {"weights": 1.0},
        CONFIG | {"weights": [1.0]},
        CONFIG | {"weights": [0.75, 0.75]},
        CONFIG | {"weights": ["0.5", 0.5]},
        CONFIG | {"weights": [True, 0.5]},
        CONFIG | {"weights": [10**400, 0.5]},
        CONFIG | {"members": []},
        CONFIG | {"members": MEMBER},
        CONFIG | {"members": [MEMBER, None]},
        CONFIG | {"members": [MEMBER, {}]},
        CONFIG | {"members": [MEMBER, MEMBER | {"family": "oracle"}]},
        CONFIG | {"members": [MEMBER, MEMBER | {"family": ["recurrent"]}]},
        CONFIG | {"members": [MEMBER, MEMBER | {"family": "ngram"}]},
        CONFIG | {"members": [MEMBER, MEMBER | {"vocab_size": 6}]},
        CONFIG | {"members": [MEMBER, MEMBER | {"layers": 10**12}]},
        CONFIG | {"colour": "red"},
        {"weights": [1.0], "members": [MEMBER]},  # tensors of one more
        {"weights": [1e-4] * 10**4, "members": [MEMBER] * 10**4},
        nested(2),
        nested(100),
    ],
    ids=lambda config: str(config)[:60],
)


@every_hostile_configuration
def test_hostile_configuration_is_a_value_error(config: Any) -> None:
    with pytest.raises(ValueError, match="."):
        build("mixture", config, TENSORS)


@every_hostile_configuration
def test_hostile_file_is_a_model_file_error(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tokenizer = mixed_text_model().tokenizer.to_json()
    meta = {"tokenizer": tokenizer, "summary": {}}
    meta["config"] = config | {"family": "mixture"}
    tensor_file.write_tensors(path, TENSORS, meta)

    with pytest.raises(ModelFileError, match="does not describe a model"):
        checkpoint.load(path)


@pytest.mark.parametrize("name", ["2.head.bias", "00.head.bias", "head.bias", "", "0"])
def test_tensor_of_no_member_is_refused(name: str) -> None:
    tensors = TENSORS | {name: TENSORS["0.head.bias"]}

    with pytest.raises(ValueError, match=r"any of 2 members|unexpected"):
        build("mixture", CONFIG, tensors)


@pytest.mark.parametrize("name", TENSORS)
def test_missing_tensor_of_a_member_is_named(name: str) -> None:
    rest = {key: array for key, array in TENSORS.items() if key != name}

    with pytest.raises(ValueError, match=name[2:]):
        build("mixture", CONFIG, rest)
