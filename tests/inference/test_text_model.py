"""Sampled texts: where they end, and how they stream."""

import numpy as np
import pytest
from support.models import (
    TableModel,
    random_text_model,
    scripted_model,
    uniform_model,
)

from charrnn.inference.config import SampleConfig
from charrnn.inference.text_model import TextModel
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit


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
    # one token that contains both
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
def test_incomplete_character_at_the_end_is_one_replacement_character(
    length: int,
) -> None:
    text = "é東🐈"
    model = scripted_model(fit([text], TokenizerConfig(level="byte")), text)

    (sample,) = model.sample(seed=1, config=SampleConfig(length=length))

    assert sample.text == text.encode()[:length].decode("utf-8", "replace")


@pytest.mark.parametrize("level", ["char", "word"])
def test_unknown_token_is_never_sampled(level: str) -> None:
    tokenizer = fit(["a a b"], TokenizerConfig(level=level, min_count=2))
    assert tokenizer.unknown is not None
    table = np.full((tokenizer.vocab_size, tokenizer.vocab_size), 0.01)
    table[:, tokenizer.unknown] = 0.97
    model = TextModel(TableModel(table), tokenizer)

    samples = list(model.sample(num=8, seed=1, config=SampleConfig(length=50)))

    assert not any("\N{REPLACEMENT CHARACTER}" in sample.text for sample in samples)


def test_text_of_a_seed_does_not_depend_on_the_number_of_samples() -> None:
    model = random_writer("char")
    config = SampleConfig(length=30)
    many = list(model.sample("th", num=70, seed=5, config=config))  # two batches

    assert [sample.seed for sample in many] == list(range(5, 75))
    for sample in (many[0], many[17], many[69]):
        (alone,) = model.sample("th", seed=sample.seed, config=config)
        assert (alone.text, alone.finish) == (sample.text, sample.finish)
        assert alone.nats == pytest.approx(sample.nats, abs=1e-4)


def test_random_seed_is_reported() -> None:
    model = random_writer("char")

    (sample,) = model.sample()

    (again,) = model.sample(seed=sample.seed)
    assert again.text == sample.text


def test_zero_samples_give_none() -> None:
    assert list(random_writer("char").sample(num=0)) == []


def test_model_and_tokenizer_must_have_the_same_tokens() -> None:
    tokenizer = fit(["abc"], TokenizerConfig(level="byte"))

    with pytest.raises(ValueError, match="5 tokens, but its tokenizer has 257"):
        TextModel(uniform_model(5), tokenizer)
