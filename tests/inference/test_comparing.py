"""Comparing several models on the same texts."""

import math
from typing import Any

import numpy as np
import pytest
from conftest import TEXT, random_model
from support.ngrams import fit_ngrams

from charrnn.data.store import MANY_DOCUMENTS
from charrnn.data.validation import SEGMENT
from charrnn.inference import comparing
from charrnn.inference.comparing import Texts, compare, read
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.tokenizers import TOKENIZERS

LINES = tuple(f"the {k} quick foxes, and naïve dogs" for k in range(MANY_DOCUMENTS))
ONE = (TEXT * 3,)
FEW = (TEXT, "Größe ", TEXT * 2)

every_level = pytest.mark.parametrize("level", TOKENIZERS)


def model_of(level: str = "char", **options: Any) -> TextModel:
    return random_model(level, text=TEXT * 50, **options)


def counted(text: str, *, known: str = TEXT, **options: Any) -> TextModel:
    """Return an n-gram model of a text that knows only its characters."""
    tokenizer = random_model(text=known).tokenizer
    config = NgramConfig(tokenizer.vocab_size, **options)
    ngram = fit_ngrams([tokenizer.encode(text).tolist()], config)
    return TextModel(ngram, tokenizer)


# --- reading


@pytest.mark.parametrize("ends", [False, True], ids=["ends don't count", "ends count"])
@pytest.mark.parametrize("documents", [ONE, FEW, LINES], ids=["one", "few", "many"])
@every_level
def test_nats_of_the_units_are_those_of_the_texts(
    level: str, documents: tuple[str, ...], ends: bool
) -> None:
    model, texts = model_of(level), Texts(documents, ends)

    reading = read(model, texts)

    scores = model.score_all(documents, end=ends)
    total = sum(scores[1:], scores[0])
    assert reading.score.nats == pytest.approx(total.nats, rel=1e-6)
    assert reading.unit_nats.sum() == pytest.approx(total.nats, rel=1e-6)
    assert len(reading.unit_nats) == len(texts.unit_sizes)
    assert texts.unit_sizes.sum() == total.characters
    sizes = ("tokens", "characters", "bytes", "words", "unknown")
    for name in sizes:
        assert getattr(reading.score, name) == getattr(total, name)


def test_unit_of_many_documents_is_a_document() -> None:
    model = model_of("word")

    reading = read(model, Texts(LINES, ends=True))

    nats = [score.nats for score in model.score_all(LINES, end=True)]
    assert reading.unit_nats == pytest.approx(nats, rel=1e-6)


@every_level
def test_token_counts_at_the_character_where_it_ends(level: str) -> None:
    model = model_of(level)

    reading = read(model, Texts(FEW[:1], ends=True))

    expected = np.zeros(len(TEXT))
    for token in model.score_tokens(TEXT, end=True):
        expected[max(token.end, 1) - 1] += token.nats
    assert reading.unit_nats == pytest.approx(expected, abs=1e-4)


def test_long_document_costs_the_same_in_segments() -> None:
    text = TEXT * (3 * SEGMENT // len(TEXT))
    model = model_of()

    reading = read(model, Texts((text, TEXT), ends=True))

    whole = sum(score.nats for score in model.score_all([text, TEXT], end=True))
    assert reading.score.nats == pytest.approx(whole, rel=1e-6)


def test_one_text_has_10_blocks_and_many_documents_have_100() -> None:
    assert Texts(ONE, ends=False).blocks == 10
    assert Texts(LINES * 10, ends=False).blocks == 100
    assert Texts(LINES, ends=False).blocks == len(LINES)


# --- comparing


def compared(*models: TextModel, ends: bool = False) -> list[comparing.Compared]:
    texts = Texts(ONE, ends)
    return compare([read(model, texts) for model in models], texts)


def test_fewest_bits_come_first_and_are_the_best() -> None:
    found = compared(model_of(seed=1), counted(TEXT, order=3), model_of("byte", seed=2))

    bits = [one.reading.score.bits_per_char for one in found]
    assert bits == sorted(bits)
    assert [one.is_best for one in found] == [True, False, False]
    for one, value in zip(found[1:], bits[1:], strict=True):
        low, high = one.interval
        assert one.difference == pytest.approx(value - bits[0])
        assert 0 < low < one.difference < high
        assert one.interval.excludes_zero


def test_model_does_not_differ_from_itself() -> None:
    _, same = compared(model_of(), model_of())

    assert (same.difference, *same.interval) == (0, 0, 0)
    assert not same.interval.excludes_zero


def test_interval_is_reproducible() -> None:
    models = model_of(seed=1), model_of("subword", seed=2)

    assert compared(*models)[1].interval == compared(*models)[1].interval


def test_model_that_calls_the_text_impossible_is_infinitely_worse() -> None:
    first, last = compared(counted("the fox", order=2, smoothing="mle"), model_of())

    assert math.isfinite(first.reading.score.nats)
    assert last.reading.impossible > 0
    assert last.reading.score.bits_per_char == math.inf
    assert (last.difference, *last.interval) == (math.inf,) * 3
    assert last.interval.excludes_zero


def test_interval_is_nan_if_the_best_model_has_infinite_nats() -> None:
    model = counted("the fox", order=2, smoothing="mle")

    _, other = compared(model, model)

    assert math.isnan(other.difference)
    assert not other.interval.excludes_zero


def test_model_with_many_unknown_tokens_is_not_the_best() -> None:
    lazy, fair = compared(counted(TEXT, known="the"), counted(TEXT, order=2))

    assert (lazy.is_fair, fair.is_fair) == (False, True)
    assert lazy.difference < 0
    assert fair.is_best


def test_models_with_the_same_unknown_tokens_are_comparable() -> None:
    found = compared(*(counted(TEXT, known="the", order=order) for order in (1, 3)))

    assert [one.is_fair for one in found] == [True, True]
    assert [one.is_best for one in found] == [True, False]


# --- the smallest texts


@pytest.mark.parametrize("text", ["a", "ab", "the qui"])
def test_interval_of_a_tiny_text_is_valid_or_nan(text: str) -> None:
    texts = Texts((text,), ends=False)

    _, worse = compare([read(model_of(seed=k), texts) for k in (1, 2)], texts)

    low, high = worse.interval
    assert (math.isnan(low) and math.isnan(high)) if text == "a" else low <= high
