"""The n-gram model: what holds for every corpus, order and smoothing."""

import itertools
import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import LINES, texts_of, write
from support.ngrams import (
    EIGHT,
    corpora,
    distribution,
    fit_ngrams,
    orders,
    part_of_documents,
)

from charrnn.inference.config import SampleConfig
from charrnn.inference.score import Score
from charrnn.inference.scoring import batch_nats, next_token_scores
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram import model as ngram
from charrnn.models.ngram.config import MAX_K, MIN_K, SMOOTHINGS, NgramConfig
from charrnn.models.ngram.counts import count_ngrams
from charrnn.models.ngram.model import NgramModel
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

ATOL = 1e-6  # float32 logits

smoothings = st.sampled_from(SMOOTHINGS)
every_smoothing = pytest.mark.parametrize("smoothing", SMOOTHINGS)


# --- documents


def test_ngrams_do_not_run_from_one_document_into_the_next() -> None:
    counted = count_ngrams(
        np.array([0, 1, 0, 2, 0]),
        np.array([0, 2]),
        np.array([2, 2]),
        vocab_size=3,
        continuations=False,
    )
    levels = next(itertools.islice(counted, 2, None))

    # after 0: 1 and 2; after 1: 0; after 2: 0; 010 and 020, but neither 102 nor 02
    # before 0 once more
    assert levels["counts.1"].tolist() == [2, 1, 1]
    assert levels["children.1"].tolist() == [2, 1, 1]
    assert levels["tokens.2"].tolist() == [1, 2, 0, 0]
    assert levels["tokens.3"].tolist() == [0, 0]


@given(corpora, smoothings)
def test_orders_that_are_counted_at_once_are_those_counted_alone(
    documents: list[list[int]], smoothing: str
) -> None:
    config, part = NgramConfig(4, 1, smoothing), part_of_documents(documents)

    together = NgramModel.fit_orders(config, part)

    for order, model in zip(range(1, 5), together, strict=False):
        alone = fit_ngrams(documents, replace(config, order=order))
        assert model.config_json() == alone.config_json()
        assert model.tensors().keys() == alone.tensors().keys()
        for name, array in alone.tensors().items():
            np.testing.assert_array_equal(model.tensors()[name], array)


@pytest.mark.parametrize("mode", ["file", "line"])
def test_training_part_of_a_store_is_counted_as_its_documents(
    mode: str, tmp_path: Path
) -> None:
    store, tokenizer = write(tmp_path, LINES, documents=mode)
    config = NgramConfig(tokenizer.vocab_size, 4)
    part = store.train

    model = NgramModel.fit(config, part)

    ids = [tokenizer.encode(text).tolist() for text in texts_of(part, tokenizer)]
    expected = fit_ngrams(ids, config, end=store.learns_end).tensors()
    for name, array in model.tensors().items():
        np.testing.assert_array_equal(array, expected[name])


@every_smoothing
def test_boundary_begins_a_document_anew(smoothing: str) -> None:
    model = fit_ngrams([EIGHT, [3, 1]], NgramConfig(4, 4, smoothing))

    for context in ([0], [0, 3], [0, 3, 1]):
        expected = distribution(model, context)
        found = distribution(model, [0, 1, 2, *context])
        np.testing.assert_array_equal(found, expected)


def test_end_that_is_not_learned_is_as_unlikely_as_what_never_was() -> None:
    with_end = fit_ngrams([EIGHT], NgramConfig(5, 3), end=True)
    without = fit_ngrams([EIGHT], NgramConfig(5, 3), end=False)

    never = 4
    assert distribution(with_end, EIGHT)[0] > 5 * distribution(with_end, EIGHT)[never]
    assert distribution(without, EIGHT)[0] == distribution(without, EIGHT)[never]


# --- laws


@given(corpora, orders, smoothings, st.booleans())
def test_probabilities_sum_to_one(corpus, order, smoothing, end) -> None:
    model = fit_ngrams(corpus, NgramConfig(5, order, smoothing), end=end)
    tokens = np.random.default_rng(0).integers(0, 5, (3, 20))

    logits, _ = model.forward(tokens, model.initial_state(3))

    assert not np.isnan(logits).any()
    np.testing.assert_allclose(np.exp(logits).sum(axis=-1), 1, atol=1e-5)


@given(corpora, orders, smoothings)
def test_one_token_of_one_text_at_a_time_gives_the_same(
    corpus, order, smoothing
) -> None:
    model = fit_ngrams(corpus, NgramConfig(5, order, smoothing))
    tokens = np.random.default_rng(0).integers(0, 5, (1, 30))
    whole, last = model.forward(tokens, model.initial_state(1))

    state = model.initial_state(1)
    for t in range(30):
        logits, state = model.forward(tokens[:, t : t + 1], state)

        np.testing.assert_allclose(logits[:, 0], whole[:, t], atol=ATOL)
    np.testing.assert_array_equal(state[0], last[0])


@every_smoothing
@pytest.mark.parametrize("size", [0, 5, 30, 90])
def test_table_of_any_size_gives_the_same(
    size: int, smoothing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = [EIGHT, [3, 3, 1], []]
    tokens = np.random.default_rng(0).integers(0, 5, (2, 40))
    with_table = fit_ngrams(corpus, NgramConfig(5, 4, smoothing))
    expected, _ = with_table.forward(tokens, with_table.initial_state(2))
    monkeypatch.setattr(ngram, "TABLE_SIZE", size)

    model = fit_ngrams(corpus, NgramConfig(5, 4, smoothing))
    found, _ = model.forward(tokens, model.initial_state(2))
    state = model.initial_state(1)
    one_by_one = []
    for t in range(40):
        logits, state = model.forward(tokens[:1, t : t + 1], state)
        one_by_one.append(logits[0, 0])

    np.testing.assert_allclose(found, expected, atol=ATOL)
    np.testing.assert_allclose(one_by_one, expected[0], atol=ATOL)


# --- what has no probability


def test_token_that_mle_never_saw_costs_infinitely_many_nats_and_never_nan() -> None:
    model = fit_ngrams([EIGHT], NgramConfig(4, 2, "mle"), end=False)
    text = np.array([1, 3])  # after a there is a or b, never c

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (nats,) = batch_nats(model, [text])
        (rows,) = next_token_scores(model, text)

    score = Score(float(nats.sum()), 2, 2, 2, 1)
    assert nats.tolist() == [0, math.inf]
    assert rows[1, 3] == -math.inf
    assert not np.isnan(rows).any()
    assert score.bits_per_char == score.perplexity == math.inf
    assert score.log10 == -math.inf


@pytest.mark.parametrize("k", [MIN_K, MAX_K])
def test_every_token_has_a_probability_with_addk(k: float) -> None:
    model = fit_ngrams([EIGHT * 10_000], NgramConfig(4, 1, "addk", k), end=False)

    assert distribution(model, [1]).min() > 0


def test_context_that_mle_never_saw_says_nothing() -> None:
    model = fit_ngrams([EIGHT], NgramConfig(4, 3, "mle"), end=False)

    np.testing.assert_allclose(distribution(model, [3, 3]), 1 / 4)


# --- text


@every_smoothing
def test_nats_of_a_sample_are_those_that_score_gives_its_text(smoothing: str) -> None:
    text = "she sells sea shells on the sea shore"
    tokenizer = fit([text], TokenizerConfig(level="char", min_count=1))
    config = NgramConfig(tokenizer.vocab_size, 4, smoothing)
    model = TextModel(fit_ngrams([tokenizer.encode(text).tolist()], config), tokenizer)

    for sample in model.sample("sea", num=3, seed=1, config=SampleConfig(length=60)):
        score = model.score(sample.text, context="sea", end=sample.finish == "end")

        assert sample.nats == pytest.approx(score.nats, abs=1e-4)
