"""Scores: every token counts once, sums add up, and units match hand calculations."""

import json
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models import TableModel, random_model, uniform_model
from support.scoring import ATOL, SMALL, ids_of, nats_of, some_model

from charrnn.inference import scoring
from charrnn.inference.score import Score
from charrnn.inference.scoring import batch_nats, next_token_scores
from charrnn.models.base import Floats, State, Tokens
from charrnn.text.size import TextSize, text_size

# --- worked by hand


def test_units_of_one_character_of_two_bytes_and_four_bits() -> None:
    score = Score(nats=4 * math.log(2), tokens=1, characters=1, bytes=2, words=1)

    assert score.bits == pytest.approx(4)
    assert score.bits_per_token == pytest.approx(4)
    assert score.bits_per_char == pytest.approx(4)
    assert score.bits_per_byte == pytest.approx(2)
    assert score.perplexity == pytest.approx(16)
    assert score.nats_per_token == pytest.approx(4 * math.log(2))
    assert score.log10 == pytest.approx(-4 * math.log10(2))


def test_perplexity_per_word_is_two_to_the_bits_per_word() -> None:
    score = Score(nats=12 * math.log(2), tokens=6, words=3)

    assert score.perplexity == pytest.approx(2**2)
    assert score.perplexity_per_word == pytest.approx(2**4)


def test_size_counts_characters_bytes_and_words() -> None:
    size = TextSize(characters=7, bytes=2 + 1 + 6 + 1 + 1 + 4, words=3)
    assert text_size("é 東京\n 🐈") == size
    assert text_size("") == TextSize()


def test_bytes_that_are_not_utf8_count_as_one_each() -> None:
    text = b"a\xff\xfe b".decode("utf-8", "surrogateescape")

    assert text_size(text) == TextSize(characters=5, bytes=5, words=2)


@given(st.text(st.sampled_from("a\u00e9\u3000\U0001f408 \t\n\x1c\x85\u200b\u2029")))
def test_words_are_those_of_split(text: str) -> None:
    assert text_size(text).words == len(text.split())


def test_nats_of_a_table_worked_by_hand() -> None:
    # from the boundary 1 has 1/2; after 1 comes 2 with 1/4; after 2 the end with 1/8
    table = [[0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.125, 0.375, 0.5]]

    (nats,) = batch_nats(TableModel(table), [np.array([1, 2])], end=True)

    np.testing.assert_allclose(nats, np.log([2, 4, 8]), atol=1e-6)


def test_score_of_an_empty_text_is_zero() -> None:
    score = some_model().score("", end=False)

    assert score == Score()
    assert math.isnan(score.bits_per_char)
    assert math.isnan(score.perplexity)


def test_end_of_an_empty_text_is_one_token() -> None:
    score = some_model().score("", end=True)

    assert (score.tokens, score.characters) == (1, 0)
    assert score.nats > 0


def test_perplexity_that_is_too_large_is_infinite() -> None:
    assert Score(nats=1e6, tokens=1).perplexity == math.inf


def test_scores_go_to_json() -> None:
    score = some_model().score("the cat")

    assert type(score.nats) is float
    assert json.loads(json.dumps(score.__dict__))["nats"] == score.nats


# --- laws


@pytest.mark.parametrize("vocab_size", [2, 11, 257])
def test_uniform_model_gives_log_vocabulary_for_every_token(vocab_size: int) -> None:
    texts = [np.ones(n, int) for n in (0, 1, 5)]

    scored = batch_nats(uniform_model(vocab_size), texts, end=True)

    for nats, n in zip(scored, (1, 2, 6), strict=True):
        np.testing.assert_allclose(nats, [math.log(vocab_size)] * n, atol=1e-6)


counts = st.integers(0, 1000)
scores = st.builds(
    Score,
    nats=st.integers(0, 2**40).map(lambda n: n / 1024),
    tokens=counts,
    characters=counts,
    bytes=counts,
    words=counts,
    unknown=counts,
)


@given(scores, scores, scores)
def test_scores_add_in_any_order(a: Score, b: Score, c: Score) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Score() == a
    assert (a + b).nats == a.nats + b.nats
    assert (a + b).bytes == a.bytes + b.bytes


@given(scores)
def test_rates_are_nan_only_if_their_count_is_zero(score: Score) -> None:
    assert math.isfinite(score.bits)
    assert math.isnan(score.bits_per_char) == (score.characters == 0)
    assert math.isnan(score.bits_per_byte) == (score.bytes == 0)
    assert math.isnan(score.bits_per_token) == (score.tokens == 0)
    assert math.isnan(score.perplexity_per_word) == (score.words == 0)


@pytest.mark.parametrize("cut", [0, 1, 13, 39, 40])
def test_score_of_the_whole_is_the_sum_of_its_parts_in_context(cut: int) -> None:
    ids = ids_of(40)

    first = nats_of(ids[:cut])
    second = nats_of(ids[cut:], context=ids[:cut], end=True)

    whole = nats_of(ids, end=True)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=ATOL)


@pytest.mark.parametrize("level", ["char", "byte"])
def test_score_of_a_text_is_the_sum_of_its_parts_in_context(level: str) -> None:
    model = some_model(level)
    whole = model.score("the cat sat; café", end=True)

    parts = model.score("the cat", end=False) + model.score(
        " sat; café", context="the cat", end=True
    )

    assert parts.nats == pytest.approx(whole.nats, abs=1e-4)
    assert (parts.tokens, parts.bytes) == (whole.tokens, whole.bytes)


@pytest.mark.parametrize("end", [False, True])
def test_every_token_is_predicted_exactly_once(end: bool) -> None:
    lengths = [0, 1, 2, 7, 7, 33, 100, 400]
    texts = [ids_of(n, seed=n) for n in lengths]

    scored = batch_nats(random_model(SMALL), texts, end=end)

    assert [len(nats) for nats in scored] == [n + end for n in lengths]


def test_each_token_is_scored_by_the_prediction_before_it() -> None:
    model, ids = random_model(SMALL), ids_of(25)
    logits, _ = model.forward(np.append(0, ids)[None], model.initial_state(1))

    nats = nats_of(ids, end=True)

    for t, token in enumerate([*ids, 0]):  # textbook softmax in float64
        exponentials = np.exp(logits[0, t].astype(float))
        expected = -math.log(exponentials[token] / exponentials.sum())
        assert nats[t] == pytest.approx(expected, abs=ATOL)


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("context", [None, ids_of(5, seed=9)], ids=["bare", "context"])
def test_batch_scores_the_same_as_single_texts_in_any_order(
    end: bool, context: npt.NDArray[np.int64] | None
) -> None:
    rng = np.random.default_rng(1)
    texts = [ids_of(int(n), seed=i) for i, n in enumerate(rng.integers(0, 60, 150))]
    texts.append(ids_of(900))
    model = random_model(SMALL)

    together = batch_nats(model, texts, context=context, end=end)
    reversed_ = batch_nats(model, texts[::-1], context=context, end=end)[::-1]

    for text, ours, theirs in zip(texts, together, reversed_, strict=True):
        (alone,) = batch_nats(model, [text], context=context, end=end)
        np.testing.assert_allclose(ours, alone, atol=ATOL)
        np.testing.assert_allclose(theirs, alone, atol=ATOL)


@pytest.mark.parametrize("block", [1, 3, 64, 1000])
def test_block_size_does_not_change_the_scores(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_model(SMALL)
    texts = [ids_of(n, seed=n) for n in (0, 1, 9, 50, 130)]
    context = ids_of(20, seed=2)
    whole = batch_nats(model, texts, context=context, end=True)
    rows = np.concatenate(list(next_token_scores(model, texts[-1], context=context)))

    monkeypatch.setattr(scoring, "BLOCK_TOKENS", block)

    again = batch_nats(model, texts, context=context, end=True)
    for ours, theirs in zip(again, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=ATOL)
    pieces = np.concatenate(list(next_token_scores(model, texts[-1], context=context)))
    np.testing.assert_allclose(pieces, rows, atol=ATOL)


class Watched(TableModel):
    """A uniform model that records its total tokens and most logits at once."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__(np.full((vocab_size, vocab_size), 1 / vocab_size))
        self.most_logits = self.tokens = 0

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        self.most_logits = max(self.most_logits, tokens.size * self.vocab_size)
        self.tokens += tokens.size
        return super().forward(tokens, state)


def test_number_of_logits_at_once_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "BLOCK_LOGITS", 2000)
    model = Watched(100)

    batch_nats(model, [np.ones(300, int)] * 5)
    list(next_token_scores(model, np.ones(300, int)))

    assert model.most_logits <= 2000


def test_one_long_text_does_not_pad_the_short_ones() -> None:
    model = Watched(3)

    batch_nats(model, [np.ones(10, int)] * 63 + [np.ones(5000, int)])

    assert model.tokens < 2 * (63 * 10 + 5000)


def test_padding_is_at_most_half_of_the_tokens() -> None:
    model = Watched(3)
    lengths = np.random.default_rng(0).integers(50, 3000, 300)

    batch_nats(model, [np.ones(n, int) for n in lengths])

    assert lengths.sum() <= model.tokens <= 2 * lengths.sum()


def test_no_texts_have_no_scores() -> None:
    assert batch_nats(random_model(SMALL), []) == []
    assert some_model().score_all([]) == []


def test_texts_do_not_see_each_other() -> None:
    model = some_model()

    together = model.score_all(["the cat", "sat", "the cat"])

    assert together[0].nats == pytest.approx(model.score("the cat").nats, abs=1e-4)
    assert together[2].nats == pytest.approx(together[0].nats, abs=1e-4)
