"""Scores of single tokens, of the end, and their agreement with sampling."""

import itertools

import numpy as np
import pytest
from support.models import TableModel, random_model, uniform_model
from support.scoring import SMALL, ids_of, some_model

from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import generate
from charrnn.inference.scoring import batch_nats, next_token_scores
from charrnn.inference.text_model import TextModel
from charrnn.models.base import token_nats
from charrnn.storage.records import ModelSummary
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

# --- tokens of a text


@pytest.mark.parametrize("level", ["char", "byte", "word"])
@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("context", ["", "the "])
def test_scores_of_the_tokens_add_up_to_that_of_the_text(
    level: str, end: bool, context: str
) -> None:
    model, text = some_model(level), "the naïve café"

    tokens = list(model.score_tokens(text, context=context, end=end))

    whole = model.score(text, context=context, end=end)
    assert len(tokens) == whole.tokens
    assert sum(token.nats for token in tokens) == pytest.approx(whole.nats, abs=1e-4)
    expected = [*model.tokenizer.encode(text).tolist(), *([0] if end else [])]
    assert [token.token for token in tokens] == expected


@pytest.mark.parametrize("level", ["char", "byte", "word"])
def test_tokens_cover_the_text_without_a_gap(level: str) -> None:
    text = "the naïve café"

    tokens = list(some_model(level).score_tokens(text, end=True))

    assert tokens[0].start == 0
    assert tokens[-1].end == len(text)
    assert all(a.end == b.start for a, b in itertools.pairwise(tokens))


def test_rank_and_top_of_a_table_worked_by_hand() -> None:
    tokenizer = fit(["ab"], TokenizerConfig(min_count=1))
    a, b = tokenizer.encode("ab").tolist()
    table = np.full((tokenizer.vocab_size, tokenizer.vocab_size), 1e-9)
    table[:, a], table[:, b], table[:, 0] = 0.5, 0.3, 0.2
    model = TextModel(TableModel(table), tokenizer)

    first, second, end = model.score_tokens("ba", end=True, top=2)

    assert [token.rank for token in (first, second, end)] == [2, 1, 3]
    for token in (first, second, end):
        assert [t for t, _ in token.top] == [a, b]
        np.testing.assert_allclose(
            [nats for _, nats in token.top], -np.log([0.5, 0.3]), atol=1e-6
        )


def test_equally_likely_tokens_share_the_better_rank() -> None:
    tokenizer = fit(["ab"], TokenizerConfig(min_count=1))
    model = TextModel(uniform_model(tokenizer.vocab_size), tokenizer)

    assert {token.rank for token in model.score_tokens("abba")} == {1}


def test_probabilities_at_every_position_sum_to_one() -> None:
    model = random_model(SMALL)

    for context in (None, ids_of(9)):
        rows = np.concatenate(
            list(next_token_scores(model, ids_of(1000), context=context))
        )

        assert rows.shape == (1000, 11)
        np.testing.assert_allclose(np.exp(rows).sum(axis=-1), 1, atol=1e-5)


# --- the end, the unknown, and agreement with sampling


def test_end_is_scored_by_default_only_if_it_was_learned() -> None:
    model = some_model()
    for learned in (False, True):
        asked = TextModel(
            model.model, model.tokenizer, summary=ModelSummary(learned_end=learned)
        )

        assert asked.score("cat") == asked.score("cat", end=learned)
        assert len(list(asked.score_tokens("cat"))) == 3 + learned


def test_unknown_tokens_are_counted() -> None:
    tokenizer = fit(["aabbc"], TokenizerConfig(min_count=2))
    model = TextModel(uniform_model(tokenizer.vocab_size), tokenizer)

    score = model.score("abcxyz", end=False)

    assert (score.unknown, score.tokens, score.characters) == (4, 6, 6)


def test_level_without_an_unknown_token_counts_none() -> None:
    assert some_model("byte").score("žluťoučký kůň").unknown == 0


@pytest.mark.parametrize("level", ["char", "byte", "word"])
@pytest.mark.parametrize("prompt", ["", "the "])
def test_sampling_agrees_with_scoring(level: str, prompt: str) -> None:
    model = some_model(level)
    prompt_ids = model.tokenizer.encode(prompt)
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    drawn = generate(model.model, prompt_ids, SampleConfig(), rngs=rngs)
    steps = list(itertools.islice(drawn, 100))
    nats = np.stack([token_nats(step.logits, step.tokens) for step in steps])

    for b in range(3):
        tokens = np.array([step.tokens[b] for step in steps])
        (scored,) = batch_nats(model.model, [tokens], context=prompt_ids)
        np.testing.assert_allclose(nats[:, b], scored, atol=1e-5)


def test_nats_of_a_sample_are_the_score_of_its_text() -> None:
    model = some_model("char")
    config = SampleConfig(length=40, temperature=0.8)
    for sample in model.sample("the ", num=6, seed=3, config=config):
        end = sample.finish == "end"
        scored = model.score(sample.text, context="the ", end=end)

        assert sample.tokens == scored.tokens
        assert sample.nats == pytest.approx(scored.nats, rel=1e-5)
        assert sample.score.characters == scored.characters
