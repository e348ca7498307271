"""Drawing tokens: the filters, the draw itself, and the texts that come out."""

import itertools
import json
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models_for_tests import (
    TableModel,
    random_model,
    random_text_model,
    scripted_model,
    uniform_model,
)

from charrnn import sampling
from charrnn.config import (
    RecurrentConfig,
    SampleConfig,
    TokenizerConfig,
    from_json,
    to_json,
)
from charrnn.errors import UsageError
from charrnn.models import log_softmax
from charrnn.sampling import draw, generate, gumbel_noise, heat, min_p, top_k, top_p
from charrnn.text_model import TextModel
from charrnn.tokenizers import fit

NOTHING = -np.inf
SMALL = RecurrentConfig(vocab_size=11, cell="gru", hidden=8, embed=4)


def logits_of(*probabilities: float) -> npt.NDArray[np.float32]:
    """Return one row of logits (1, V) with these probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([probabilities])).astype(np.float32)


def probabilities_of(logits: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(p), 6) for p in np.exp(log_softmax(logits))[0]]


def draws(config: SampleConfig, *probabilities: float, n: int = 4000) -> list[int]:
    """Return n tokens drawn from one distribution."""
    logits = np.repeat(logits_of(*probabilities), n, axis=0)
    noise = next(gumbel_noise([np.random.default_rng(5)], n * len(probabilities)))
    return draw(logits, config, noise.reshape(n, -1)).tolist()


def generators(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def tokens_of(
    n: int, *, config: SampleConfig | None = None, seeds: tuple[int, ...] = (1,)
) -> npt.NDArray[np.int64]:
    """Return n tokens for each seed, (n, B), that a random network writes."""
    model, prompt = random_model(SMALL), np.array([3, 4])
    config = config or SampleConfig()
    drawn = generate(model, prompt, config, rngs=generators(*seeds))
    return np.stack([one.tokens for one in itertools.islice(drawn, n)])


# --- filters, on distributions made by hand


def test_temperature_of_a_half_squares_the_probabilities() -> None:
    # (1/2, 1/4, 1/4) squared is (4, 1, 1) / 16, which sums to 6/16
    heated = heat(logits_of(0.5, 0.25, 0.25), 0.5)

    np.testing.assert_allclose(
        probabilities_of(heated), [4 / 6, 1 / 6, 1 / 6], atol=1e-6
    )


def test_top_k_keeps_the_k_likeliest_in_proportion() -> None:
    kept = top_k(logits_of(0.1, 0.4, 0.3, 0.2), 2)

    np.testing.assert_allclose(probabilities_of(kept), [0, 4 / 7, 3 / 7, 0], atol=1e-6)


def test_top_k_keeps_exactly_k_of_equal_ones_the_first() -> None:
    kept = top_k(logits_of(0.1, 0.3, 0.3, 0.3), 2)

    assert probabilities_of(kept) == [0, 0.5, 0.5, 0]


def test_top_k_of_the_vocabulary_or_more_changes_nothing() -> None:
    logits = logits_of(0.1, 0.4, 0.5)

    np.testing.assert_array_equal(top_k(logits, 3), logits)
    np.testing.assert_array_equal(top_k(logits, 4), logits)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.01, [0, 1, 0, 0]),
        (0.35, [0, 1, 0, 0]),
        (0.45, [0, 4 / 7, 3 / 7, 0]),
        (0.65, [0, 4 / 7, 3 / 7, 0]),
        (0.75, [0, 4 / 9, 3 / 9, 2 / 9]),
        (0.95, [0.1, 0.4, 0.3, 0.2]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(
    p: float, expected: list[float]
) -> None:
    kept = top_p(logits_of(0.1, 0.4, 0.3, 0.2), p)

    np.testing.assert_allclose(probabilities_of(kept), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.2, [0.1, 0.4, 0.3, 0.2]),  # 0.2 of 0.4 is 0.08
        (0.4, [0, 4 / 9, 3 / 9, 2 / 9]),  # 0.16
        (0.6, [0, 4 / 7, 3 / 7, 0]),  # 0.24
        (0.9, [0, 1, 0, 0]),  # 0.36
        (1.0, [0, 1, 0, 0]),
    ],
)
def test_min_p_keeps_what_is_p_times_as_likely_as_the_likeliest(
    p: float, expected: list[float]
) -> None:
    kept = min_p(logits_of(0.1, 0.4, 0.3, 0.2), p)

    np.testing.assert_allclose(probabilities_of(kept), expected, atol=1e-6)


def test_min_p_of_one_keeps_all_that_are_likeliest() -> None:
    assert probabilities_of(min_p(logits_of(0.4, 0.2, 0.4), 1.0)) == [0.5, 0, 0.5]


def test_filters_treat_each_row_by_itself() -> None:
    rows = [logits_of(0.1, 0.4, 0.3, 0.2), logits_of(0.7, 0.1, 0.1, 0.1)]
    together = np.concatenate(rows)

    for filtered in (
        lambda x: top_k(x, 2),
        lambda x: top_p(x, 0.6),
        lambda x: min_p(x, 0.5),
        lambda x: heat(x, 0.7),
    ):
        np.testing.assert_array_equal(
            filtered(together), np.concatenate([filtered(row) for row in rows])
        )


logit_rows = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=12)


@given(logit_rows, st.integers(1, 12), st.floats(0.01, 1), st.floats(0.01, 1))
def test_softmax_sums_to_one_after_every_filter(
    row: list[float], k: int, p: float, q: float
) -> None:
    logits = np.array([row], np.float32)
    best = int(logits.argmax())

    for filtered in (top_k(logits, k), top_p(logits, p), min_p(logits, q)):
        assert np.exp(log_softmax(filtered)).sum() == pytest.approx(1, abs=1e-5)
        assert filtered[0, best] == logits[0, best]
        kept = filtered > NOTHING
        np.testing.assert_array_equal(filtered[kept], logits[kept])


@given(logit_rows, st.integers(1, 12))
def test_top_k_keeps_exactly_k(row: list[float], k: int) -> None:
    kept = top_k(np.array([row], np.float32), k)

    assert (kept > NOTHING).sum() == min(k, len(row))


# --- the order of the filters


def test_temperature_comes_before_top_p() -> None:
    # at temperature 1/2 the first has 4/6 and alone reaches 0.6; before, it has 1/2
    drawn = draws(SampleConfig(temperature=0.5, top_p=0.6), 0.5, 0.25, 0.25)

    assert set(drawn) == {0}


def test_top_k_comes_before_top_p() -> None:
    # of the first two, the first has 0.4 / 0.7 = 0.57 and alone reaches 0.5; of all,
    # it has 0.4 and does not
    drawn = draws(SampleConfig(top_k=2, top_p=0.5), 0.4, 0.3, 0.2, 0.1)

    assert set(drawn) == {0}


def test_top_p_comes_before_min_p() -> None:
    # min-p 0.7 keeps 0.4 and 0.3; of those alone, top-p 0.5 would drop the second
    drawn = draws(SampleConfig(top_p=0.5, min_p=0.7), 0.4, 0.3, 0.2, 0.1)

    assert set(drawn) == {0, 1}


# --- greedy and extreme temperatures


def test_temperature_zero_draws_the_likeliest() -> None:
    assert set(draws(SampleConfig(temperature=0), 0.3, 0.4, 0.3, n=50)) == {1}


def test_top_k_of_one_is_greedy() -> None:
    greedy = tokens_of(60, config=SampleConfig(temperature=0))

    np.testing.assert_array_equal(tokens_of(60, config=SampleConfig(top_k=1)), greedy)


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-30])
def test_tiny_temperatures_are_greedy(temperature: float) -> None:
    drawn = draws(SampleConfig(temperature=temperature), 0.3, 0.4, 0.3, 0.0, n=50)

    assert set(drawn) == {1}


@pytest.mark.parametrize("temperature", [1e30, 1e39, 1e300, math.inf])
def test_huge_temperatures_are_uniform_over_what_is_possible(
    temperature: float,
) -> None:
    config = SampleConfig(temperature=temperature, top_p=0.999)

    drawn = draws(config, 0.9, 0.09, 0.01, 0.0)

    # Of 4000, a third is 1333 +- 30; 6 of these: false alarm below 1e-8.
    assert all(abs(drawn.count(token) - 4000 / 3) < 180 for token in range(3))
    assert 3 not in drawn


# --- the draw


def test_draws_follow_the_softmax() -> None:
    expected = np.array([0.5, 0.25, 0.15, 0.08, 0.02])
    n = 40_000

    counts = np.bincount(draws(SampleConfig(), *expected, n=n), minlength=5)

    # chi-square, 4 degrees of freedom: above 33.4 with probability 1e-6
    assert ((counts - n * expected) ** 2 / (n * expected)).sum() < 33.4


def test_written_tokens_follow_the_models_probabilities() -> None:
    table = np.array([[0.0, 0.75, 0.25], [0.0, 0.5, 0.5], [0.0, 0.9, 0.1]])
    drawn = generate(
        TableModel(table), np.array([], int), SampleConfig(), rngs=generators(7)
    )

    tokens = [0, *(int(one.tokens[0]) for one in itertools.islice(drawn, 20_000))]

    for before in (1, 2):
        after = [b for a, b in itertools.pairwise(tokens) if a == before]
        share = after.count(1) / len(after)
        spread = math.sqrt(table[before, 1] * table[before, 2] / len(after))
        assert abs(share - table[before, 1]) < 5 * spread  # false alarm 6e-7


def test_noise_is_gumbel_distributed() -> None:
    noise = np.stack(list(itertools.islice(gumbel_noise(generators(3), 1000), 64)))

    # Of 64,000 values the mean is 0.5772 +- 0.005 and the variance pi^2 / 6 +- 0.014
    # (its fourth moment is 5.4 variances squared); 6 of these: false alarm below 1e-8.
    assert np.isfinite(noise).all()
    assert noise.mean() == pytest.approx(0.5772, abs=0.03)
    assert noise.var() == pytest.approx(math.pi**2 / 6, abs=0.084)


def test_noise_does_not_depend_on_the_size_of_its_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first(n: int) -> npt.NDArray[np.float32]:
        return np.stack(list(itertools.islice(gumbel_noise(generators(1, 2), 7), n)))

    expected = first(100)

    for values in (1, 30, 1000):
        monkeypatch.setattr(sampling, "NOISE_VALUES", values)
        np.testing.assert_array_equal(first(100), expected)


def test_noise_of_a_large_vocabulary_is_drawn_a_step_at_a_time() -> None:
    noise = next(gumbel_noise(generators(*range(8)), 200_000))

    base = noise if noise.base is None else noise.base
    assert base.nbytes == 4 * 8 * 200_000


# --- generate


def test_same_seed_writes_the_same_tokens() -> None:
    np.testing.assert_array_equal(tokens_of(200), tokens_of(200))


def test_other_seeds_write_other_tokens() -> None:
    first, second = tokens_of(200, seeds=(1, 2)).T

    assert (first != second).any()


def test_tokens_do_not_depend_on_their_company() -> None:
    together = tokens_of(150, seeds=(4, 1, 9))

    for column, seed in zip(together.T, (4, 1, 9), strict=True):
        np.testing.assert_array_equal(column, tokens_of(150, seeds=(seed,))[:, 0])


def test_long_prompts_are_read_in_pieces_with_the_same_result() -> None:
    model = random_model(SMALL)
    prompt = np.random.default_rng(0).integers(1, 11, 2500)

    drawn = next(
        generate(model, prompt, SampleConfig(temperature=0), rngs=generators(1))
    )

    inputs = np.append(0, prompt)[None]
    logits, _ = model.forward(inputs, model.initial_state(1))
    token = int(logits[0, -1].argmax())
    assert drawn.tokens.tolist() == [token]
    assert drawn.nats[0] == pytest.approx(-log_softmax(logits[0, -1])[token], abs=1e-5)


@pytest.mark.parametrize(
    "config",
    [SampleConfig(), SampleConfig(temperature=0), SampleConfig(temperature=math.inf)],
    ids=["plain", "greedy", "hot"],
)
def test_banned_tokens_are_never_drawn(config: SampleConfig) -> None:
    table = np.tile([0.01, 0.9, 0.04, 0.05], (4, 1))
    drawn = generate(
        TableModel(table), np.array([], int), config, rngs=generators(1, 2), never=(1,)
    )

    tokens = {
        int(token) for one in itertools.islice(drawn, 300) for token in one.tokens
    }

    assert 1 not in tokens


def test_nats_are_the_models_own_whatever_the_filters_are() -> None:
    table = np.tile([0.1, 0.6, 0.1, 0.2], (4, 1))
    config = SampleConfig(temperature=0.3, top_k=3, top_p=0.9, min_p=0.01)
    drawn = generate(
        TableModel(table), np.array([], int), config, rngs=generators(1), never=(1,)
    )

    for one in itertools.islice(drawn, 50):
        expected = -math.log(table[0, one.tokens[0]])
        assert one.nats[0] == pytest.approx(expected, abs=1e-6)


# --- texts


def test_text_ends_with_the_end_of_the_document() -> None:
    model = scripted_model(fit(["a cat"], TokenizerConfig(min_count=1)), "cat")

    (sample,) = model.sample(seed=1)

    assert (sample.text, sample.finish, sample.tokens) == ("cat", "end", 4)
    assert sample.nats == pytest.approx(0, abs=1e-6)


def test_prompt_is_read_and_not_part_of_the_text() -> None:
    model = scripted_model(fit(["a cat"], TokenizerConfig(min_count=1)), "cat")

    (sample,) = model.sample("c", seed=1)

    assert (sample.prompt, sample.text) == ("c", "at")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_length_counts_new_tokens(length: int) -> None:
    model = scripted_model(fit(["a cat"], TokenizerConfig(min_count=1)), "cat")

    (sample,) = model.sample(seed=1, config=SampleConfig(length=length))

    assert (sample.text, sample.finish) == ("cat"[:length], "length")
    assert sample.tokens == length


def test_length_zero_writes_until_the_end() -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 700)))
    model = scripted_model(fit([text], TokenizerConfig(min_count=1)), text)

    (sample,) = model.sample(seed=1, config=SampleConfig(length=0))

    assert (sample.text, sample.finish) == (text, "end")


@pytest.mark.parametrize("stop", ["d", "cd", "bcd", "abcd"])
def test_text_stops_after_a_stop_string_that_may_span_tokens(stop: str) -> None:
    model = scripted_model(fit(["abcdef"], TokenizerConfig(min_count=1)), "abcdef")

    (sample,) = model.sample(seed=1, config=SampleConfig(stop=("zz", stop)))

    assert (sample.text, sample.finish) == ("abcd", "stop")


@pytest.mark.parametrize("stops", [("lo", "he"), ("he", "lo"), ("llo", "h", "hel")])
def test_first_stop_in_the_text_counts_not_the_first_in_the_list(
    stops: tuple[str, ...],
) -> None:
    # a token of several characters, which holds both
    tokenizer = fit(["hello you"], TokenizerConfig(level="word", min_count=1))
    model = scripted_model(tokenizer, "hello you")

    (sample,) = model.sample(seed=1, config=SampleConfig(stop=stops))

    assert sample.text == ("h" if "h" in stops else "he")
    assert sample.finish == "stop"


def test_stop_string_in_the_prompt_does_not_stop() -> None:
    model = scripted_model(fit(["abcdef"], TokenizerConfig(min_count=1)), "abcdef")

    (sample,) = model.sample("abc", seed=1, config=SampleConfig(stop=("c", "cd")))

    assert (sample.text, sample.finish) == ("def", "end")


def random_writer(level: str) -> TextModel:
    texts = ["the naïve café, 東京 🐈 of the cat", "a cat; the cat\n"] * 3
    return random_text_model(texts, level=level)


@pytest.mark.parametrize("level", ["char", "byte", "word"])
def test_pieces_of_a_stream_join_to_the_text_of_the_sample(level: str) -> None:
    model = random_writer(level)
    for seed in range(5):
        config = SampleConfig(length=80, stop=("ca", "th"))
        stream = model.stream("the", seed=seed, config=config)

        pieces = list(stream)

        (sample,) = model.sample("the", seed=seed, config=config)
        assert all(pieces)
        assert "".join(pieces) == sample.text == stream.sample.text
        assert stream.sample == sample


def test_stream_never_splits_a_character() -> None:
    text = "é東🐈"  # 2 + 3 + 4 bytes, all different
    model = scripted_model(fit([text], TokenizerConfig(level="byte")), text)

    assert list(model.stream(seed=1)) == ["é", "東", "🐈"]


@pytest.mark.parametrize("length", range(1, 10))
def test_half_a_character_at_the_end_is_one_replacement_character(length: int) -> None:
    text = "é東🐈"
    model = scripted_model(fit([text], TokenizerConfig(level="byte")), text)

    (sample,) = model.sample(seed=1, config=SampleConfig(length=length))

    assert sample.text == text.encode()[:length].decode("utf-8", "replace")


@pytest.mark.parametrize("level", ["char", "word"])
def test_unknown_token_is_never_written(level: str) -> None:
    tokenizer = fit(["a a b"], TokenizerConfig(level=level, min_count=2))
    assert tokenizer.unknown is not None
    table = np.full((tokenizer.vocab_size, tokenizer.vocab_size), 0.01)
    table[:, tokenizer.unknown] = 0.97
    model = TextModel(TableModel(table), tokenizer)

    samples = list(model.sample(num=8, seed=1, config=SampleConfig(length=50)))

    assert not any("\N{REPLACEMENT CHARACTER}" in sample.text for sample in samples)


def test_text_of_a_seed_does_not_depend_on_how_many_are_written() -> None:
    model = random_writer("char")
    config = SampleConfig(length=30)
    many = list(model.sample("th", num=70, seed=5, config=config))  # two batches

    assert [sample.seed for sample in many] == list(range(5, 75))
    for sample in (many[0], many[17], many[69]):
        (alone,) = model.sample("th", seed=sample.seed, config=config)
        assert (alone.text, alone.finish) == (sample.text, sample.finish)
        assert alone.nats == pytest.approx(sample.nats, abs=1e-4)


def test_seed_nobody_chose_is_told() -> None:
    model = random_writer("char")

    (sample,) = model.sample()

    (again,) = model.sample(seed=sample.seed)
    assert again.text == sample.text


def test_no_samples_are_none() -> None:
    assert list(random_writer("char").sample(num=0)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": math.nan},
        {"min_p": -0.1},
        {"min_p": math.nan},
        {"top_k": -1},
        {"length": -1},
        {"stop": ("",)},
    ],
    ids=str,
)
def test_values_that_make_no_sense_are_refused(values: dict) -> None:
    with pytest.raises(UsageError):
        SampleConfig(**values)


def test_model_and_tokenizer_must_have_the_same_tokens() -> None:
    tokenizer = fit(["abc"], TokenizerConfig(level="byte"))

    with pytest.raises(ValueError, match="5 tokens, its tokenizer 257"):
        TextModel(uniform_model(5), tokenizer)


def test_configuration_comes_back_from_json() -> None:
    config = SampleConfig(temperature=0.5, top_k=3, stop=("a", "é\n"))

    assert from_json(SampleConfig, json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize(
    "values", [{"stop": "abc"}, {"stop": [1]}, {"top_k": 1.5}, {"top_p": 2}], ids=str
)
def test_json_of_another_type_or_without_sense_is_a_value_error(values: dict) -> None:
    with pytest.raises(ValueError, match="stop|top"):
        from_json(SampleConfig, values)
