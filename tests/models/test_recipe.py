"""Recipes: numbers in, sizes and reasons out, without training."""

from typing import Any

import pytest

from charrnn.models.ngram.recipe import NgramRecipe
from charrnn.models.recipe import CorpusStatistics
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.recipe import RecurrentRecipe
from charrnn.models.window.recipe import WindowRecipe


@pytest.mark.parametrize(
    ("tokens", "training", "hidden"),
    [
        (50_000, {}, 256),
        (200_000, {}, 384),
        (400_000, {"time_s": 300}, 512),
        (400_000, {"time_s": 900}, 1024),
        (400_000, {"time_s": 300, "with_ngram": True}, 448),
    ],
)
def test_width_follows_from_text_and_time(
    tokens: int, training: dict[str, Any], hidden: int
) -> None:
    data = CorpusStatistics(tokens, vocab_size=66)

    config, why = RecurrentRecipe.sizes(data, {}, training, "cpu")

    assert config.hidden == hidden
    assert why == [f"hidden {hidden}: {tokens:,} training tokens"]


def test_size_that_was_given_needs_no_reason() -> None:
    data = CorpusStatistics(400_000, vocab_size=66)

    config, why = RecurrentRecipe.sizes(data, {"hidden": 7}, {}, "cpu")

    assert (config.hidden, why) == (7, [])


def test_long_tokens_get_a_wide_tied_embedding() -> None:
    data = CorpusStatistics(400_000, vocab_size=9_000, has_long_tokens=True)

    config, _ = RecurrentRecipe.sizes(data, {}, {}, "cpu")

    assert (config.embed, config.tie) == (256, True)


def test_streams_are_few_where_the_text_cannot_fill_more() -> None:
    data = CorpusStatistics(tokens=1_280, vocab_size=66)

    assert RecurrentRecipe.windows(data, {"bptt": 64})["batch"] == 1280 // (4 * 64)


def test_dropout_rises_with_the_epochs_up_to_a_limit() -> None:
    assert RecurrentRecipe.dropout(2.0) == (0.1, 0.2)
    assert RecurrentRecipe.dropout(100.0) == (0.1, 0.6)


def test_embedding_is_looked_up_and_not_multiplied_unless_tied() -> None:
    plain = RecurrentConfig(vocab_size=10, hidden=4, embed=3)
    tied = RecurrentConfig(vocab_size=10, hidden=4, embed=3, tie=True)

    for config, looked_up in ((plain, 30), (tied, 0)):
        count = RecurrentRecipe.parameter_count(config)
        assert RecurrentRecipe.product_count(config) == count - looked_up


@pytest.mark.parametrize(
    ("data", "order"),
    [
        (CorpusStatistics(400_000, 66), 7),
        (CorpusStatistics(400_000, 66, has_short_documents=True), 6),
        (CorpusStatistics(400_000, 9_000, has_long_tokens=True), 4),
    ],
)
def test_order_of_ngrams_follows_from_the_corpus(
    data: CorpusStatistics, order: int
) -> None:
    config, (why,) = NgramRecipe.sizes(data, {}, {}, "cpu")

    assert config.order == order
    assert why.startswith(f"order {order}: ")


def test_window_is_shorter_for_long_tokens() -> None:
    long, short = CorpusStatistics(10**6, 9_000, True), CorpusStatistics(10**6, 66)

    orders = [
        WindowRecipe.sizes(data, {}, {}, "cpu")[0].order for data in (long, short)
    ]

    assert orders == [5, 8]
