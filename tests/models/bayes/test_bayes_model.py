"""Naive Bayes as a model: it reads ids, and a boundary follows its label."""

from pathlib import Path

import numpy as np
import pytest
from support.bayes import fit_bayes, fit_text_model

from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.base import padded, softmax
from charrnn.models.bayes.model import BayesModel
from charrnn.tokenizers import TOKENIZERS

#: also with a line end, characters beyond ASCII, Hangul, and a byte that is not UTF-8
TEXTS = ["ab cd", "b", "naïve 한글 ab", "CD ab\nx", "ab \udcff", "c d"]
LABELS = ["x", "y", "z", "x", "y", "x"]
#: subwords cannot be learned from so little
LEVELS = ["jamo", *(level for level in TOKENIZERS if level not in ("label", "subword"))]
ATOL = 1e-6  # float32


def text_model(level: str = "char") -> TextModel:
    return fit_text_model(TEXTS, LABELS, "missing", level=level)


def ids_of(model: TextModel, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as rows of ids, and their lengths."""
    assert model.source_tokenizer
    return padded([model.source_tokenizer.encode(text) for text in texts])


def probabilities(model: TextModel, texts: list[str], time: int = 3) -> np.ndarray:
    """Return the probabilities (B, T, V) of labels and ends, after boundaries."""
    assert isinstance(model.model, BayesModel)
    state = model.model.read(*ids_of(model, texts))
    logits, _ = model.model.forward(np.zeros((len(texts), time), int), state)
    return softmax(logits)


@pytest.mark.parametrize("level", LEVELS)
def test_boundary_follows_the_label_and_nothing_else(level: str) -> None:
    p = probabilities(text_model(level), TEXTS)

    np.testing.assert_array_equal(p[:, 0, 0], 0)
    np.testing.assert_array_equal(p[:, 1:, 0], 1)
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=ATOL)


def test_characters_are_read_as_the_text_itself() -> None:
    model = fit_text_model(TEXTS, LABELS)
    assert isinstance(model.model, BayesModel)

    p = probabilities(model, TEXTS)

    known = np.exp(model.model.log_probabilities(TEXTS))
    np.testing.assert_allclose(p[:, 0, 1:], known, atol=ATOL)


def test_symbols_are_read_with_blanks_between_them() -> None:
    texts = ["ab cd", "c d", "ab"]
    model = fit_text_model(texts, ["x", "y", "x"], level="symbol")
    assert isinstance(model.model, BayesModel)

    p = probabilities(model, texts)

    known = np.exp(model.model.log_probabilities(texts))
    np.testing.assert_allclose(p[:, 0, 1:], known, atol=ATOL)


def test_label_that_was_not_counted_has_the_probability_of_half_a_text() -> None:
    # six texts, and half a text for each of five ids: 0.5 / (6 + 2.5)
    p = probabilities(text_model(), [*TEXTS, "", "new"])

    missing = text_model().tokenizer.encode("missing")
    np.testing.assert_allclose(p[:, 0, missing], 0.5 / 8.5, atol=ATOL)


def test_padded_row_gives_what_the_row_alone_gives() -> None:
    model = text_model()

    together = probabilities(model, TEXTS)

    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(probabilities(model, [text])[0], row, atol=ATOL)


def test_pieces_with_carried_state_give_what_the_whole_gives() -> None:
    model = text_model()
    assert isinstance(model.model, BayesModel)
    tokens = np.ones((len(TEXTS), 3), int)
    start = model.model.read(*ids_of(model, TEXTS))
    whole, _ = model.model.forward(tokens, start)

    first, state = model.model.forward(tokens[:, :1], start)

    reverse = tuple(array[::-1] for array in state)
    rest, _ = model.model.forward(tokens[:, 1:], reverse)
    np.testing.assert_array_equal(np.hstack([first, rest[::-1]]), whole)


def test_empty_input_reads_as_a_boundary() -> None:
    model = text_model()

    logits, _ = model.model.forward(np.zeros((2, 1), int), model.model.initial_state(2))

    p = probabilities(model, ["", ""], 1)
    np.testing.assert_array_equal(softmax(logits), p)


@pytest.mark.parametrize("level", LEVELS)
def test_predictions_cost_what_score_gives_them(level: str) -> None:
    model = text_model(level)

    found = model.predict(TEXTS, num=9)

    for text, outputs in zip(TEXTS, found, strict=True):
        assert {one.output for one in outputs} == {"x", "y", "z", "missing"}
        assert sum(one.p for one in outputs) == pytest.approx(1, abs=ATOL)
        nats = [one.nats for one in outputs]
        assert nats == sorted(nats)
        scores = model.score_outputs([text] * 4, [one.output for one in outputs])
        assert nats == pytest.approx([score.nats for score in scores], abs=ATOL)


@pytest.mark.parametrize("level", LEVELS)
def test_saved_and_loaded_model_is_unchanged(level: str, tmp_path: Path) -> None:
    model, path = text_model(level), tmp_path / "model.safetensors"

    checkpoint.save(path, model)

    assert checkpoint.load(path).predict(TEXTS, num=4) == model.predict(TEXTS, num=4)


def test_model_without_labels_or_texts_is_refused() -> None:
    model = fit_bayes(TEXTS, LABELS)
    none = {name: array[:0] for name, array in model.tensors().items()}

    with pytest.raises(ValueError, match="labels has"):
        BayesModel.build(model.config_json(), none)
