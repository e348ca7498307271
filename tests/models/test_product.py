"""The product of classifiers, and mixtures of models that read an input."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.bayes import fit_text_model
from support.labellers import SMALL, random_labeller
from support.models import random_model, uniform_model
from support.translators import random_translator, translator_configs

from charrnn.inference import checkpoint
from charrnn.models.base import ConditionalModel, LanguageModel, build, padded, softmax
from charrnn.models.mixture import mixture
from charrnn.models.product import MAX_WEIGHT, ProductModel
from charrnn.models.recurrent.config import RecurrentConfig

TEXTS = ["ab cd", "b", "cd", "ab", "d d d"]
BAYES = fit_text_model(TEXTS, ["x", "y", "z", "x", "y"])
ATOL = 1e-6  # float32


def labeller(seed: int) -> LanguageModel:
    """Return a random classifier with the tokens and labels of BAYES."""
    assert BAYES.source_tokenizer
    sizes = {"vocab_size": 4, "source_size": BAYES.source_tokenizer.vocab_size}
    return random_labeller(replace(SMALL, **sizes), seed=seed)


MEMBERS = [labeller(0), BAYES.model, labeller(1)]
WEIGHTS = [0.3, 0.5, 0.2]
COMBINED: dict[str, Any] = {
    "product": ProductModel(MEMBERS, [0.5, 0.7, 0.1]),
    "mixture": mixture(MEMBERS, WEIGHTS),
}
every_kind = pytest.mark.parametrize("model", COMBINED.values(), ids=COMBINED)


def probabilities(model: Any, texts: list[str], time: int = 2) -> np.ndarray:
    assert BAYES.source_tokenizer
    rows = padded([BAYES.source_tokenizer.encode(text) for text in texts])
    tokens = np.zeros((len(texts), time), int)
    logits, _ = model.forward(tokens, model.read(*rows))
    return softmax(logits)


@every_kind
def test_combined_classifiers_are_a_classifier(model: Any) -> None:
    p = probabilities(model, TEXTS)

    assert isinstance(model, ConditionalModel)
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=ATOL)
    np.testing.assert_allclose(p[:, 0, 0], 0, atol=ATOL)
    np.testing.assert_allclose(p[:, 1, 0], 1, atol=ATOL)


def test_product_is_that_of_the_powers_of_probabilities() -> None:
    parts = [probabilities(member, TEXTS)[:, 0, 1:] for member in MEMBERS]

    found = probabilities(COMBINED["product"], TEXTS)[:, 0, 1:]

    expected = parts[0] ** 0.5 * parts[1] ** 0.7 * parts[2] ** 0.1
    expected /= expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_mixture_is_the_mean_of_the_probabilities_given_an_input() -> None:
    parts = [probabilities(member, TEXTS) for member in MEMBERS]

    found = probabilities(COMBINED["mixture"], TEXTS)

    expected = np.tensordot(WEIGHTS, np.stack(parts), 1)
    np.testing.assert_allclose(found, expected, atol=ATOL)


@every_kind
def test_padded_row_gives_what_the_row_alone_gives(model: Any) -> None:
    together = probabilities(model, TEXTS)

    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(probabilities(model, [text])[0], row, atol=1e-5)


@every_kind
def test_predictions_cost_what_score_gives_them(model: Any) -> None:
    combined = BAYES.with_model(model)

    found = combined.predict(TEXTS, num=3)

    for text, outputs in zip(TEXTS, found, strict=True):
        assert {one.output for one in outputs} == {"x", "y", "z"}
        nats = [one.nats for one in outputs]
        assert nats == sorted(nats)
        scores = combined.score_outputs([text] * 3, [one.output for one in outputs])
        assert nats == pytest.approx([score.nats for score in scores], abs=1e-5)


@every_kind
def test_saved_and_loaded_model_is_unchanged(model: Any, tmp_path: Path) -> None:
    combined, path = BAYES.with_model(model), tmp_path / "model.safetensors"

    checkpoint.save(path, combined)
    loaded = checkpoint.load(path)

    assert type(loaded.model) is type(model)
    assert loaded.predict(TEXTS, num=3) == combined.predict(TEXTS, num=3)


def test_mixture_of_translators_is_the_mean_of_their_probabilities() -> None:
    config = next(iter(translator_configs()))
    members = [random_translator(config, seed=seed) for seed in (0, 1)]
    source = np.array([[2, 3, 4], [4, 2, 0]])
    lengths = np.array([3, 2])
    tokens = np.array([[0, 3, 2, 5], [0, 5, 2, 2]])

    mixed = mixture(members, [0.25, 0.75])

    assert isinstance(mixed, ConditionalModel)
    found, _ = mixed.probabilities(tokens, mixed.read(source, lengths))
    parts = [
        member.probabilities(tokens, member.read(source, lengths))[0]
        for member in members
    ]
    np.testing.assert_allclose(found, 0.25 * parts[0] + 0.75 * parts[1], atol=ATOL)


@pytest.mark.parametrize("weights", [[0.5], [0, 1], [-1, 1], [np.inf, 1], [np.nan, 1]])
def test_weights_that_are_not_positive_numbers_are_refused(
    weights: list[float],
) -> None:
    with pytest.raises(ValueError, match="weights"):
        ProductModel(MEMBERS[:2], weights)


def test_weight_too_large_for_logits_is_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        ProductModel(MEMBERS[:1], [MAX_WEIGHT + 1])


def test_product_of_language_models_is_refused() -> None:
    with pytest.raises(ValueError, match="read an input"):
        ProductModel([uniform_model(2)] * 2, [1, 1])


def test_models_with_and_without_an_input_are_not_combined() -> None:
    language = random_model(RecurrentConfig(4, "lstm", hidden=3, embed=2))

    with pytest.raises(ValueError, match="inputs differ"):
        mixture([MEMBERS[0], language], [0.5, 0.5])


def test_mixture_may_contain_a_product_but_not_the_other_way_round() -> None:
    product = COMBINED["product"]
    mixed = mixture([product, MEMBERS[0]], [0.5, 0.5])

    rebuilt = build("mixture", mixed.config_json(), mixed.tensors())

    np.testing.assert_array_equal(
        probabilities(rebuilt, TEXTS), probabilities(mixed, TEXTS)
    )
    for inner in (product, COMBINED["mixture"]):
        nested = ProductModel([inner, MEMBERS[0]], [1, 1])
        with pytest.raises(ValueError, match="a member is itself a"):
            build("product", nested.config_json(), nested.tensors())
