"""The defaults of translators: numbers in, sizes out, without training."""

from typing import Any

import pytest

from charrnn.errors import UsageError
from charrnn.models.recipe import CorpusStatistics
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.recipe import TranslatorRecipe

SMALL = CorpusStatistics(60_000, vocab_size=50, source_size=4, examples=3_600)
LARGE = CorpusStatistics(1_500_000, vocab_size=50, source_size=4, examples=100_000)
COPIES = (0, 0, 2, 3)


def config_of(data: CorpusStatistics = SMALL, **given: Any) -> Any:
    sizes = {"source_size": 4, "copies": COPIES} | given
    return TranslatorRecipe.sizes(data, sizes, {}, "cpu")[0]


def test_few_tokens_are_learned_by_fewer_units_at_a_higher_rate() -> None:
    small, large = config_of(SMALL), config_of(LARGE)

    assert (small.hidden, large.hidden) == (128, 256)
    rates = [TranslatorRecipe.peak_rate(config, 20.0) for config in (small, large)]
    assert rates[0] > rates[1] > 0


def test_size_that_was_given_is_kept_and_needs_no_reason() -> None:
    given = {"source_size": 4, "hidden": 7}

    config, why = TranslatorRecipe.sizes(SMALL, given, {}, "cpu")

    assert (config.hidden, why) == (7, [])


def test_tokens_to_copy_are_kept_only_if_copying_is_learned() -> None:
    assert config_of(copy=True).copies == COPIES
    assert config_of().copies == ()


def test_copying_is_not_suggested_without_attention() -> None:
    assert not config_of(attention="none", copy=True).copy
    with pytest.raises(UsageError, match="`copy` needs attention"):
        TranslatorConfig(9, 9, attention="none", copy=True)


def test_both_embeddings_are_looked_up_and_not_multiplied() -> None:
    config = config_of(embed=3)

    count = TranslatorRecipe.parameter_count(config)
    assert TranslatorRecipe.product_count(config) == count - (50 + 4) * 3
