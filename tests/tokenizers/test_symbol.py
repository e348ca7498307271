"""Symbols are what blanks separate; a line end is a symbol, and <unk> is unknown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import from_json
from charrnn.tokenizers.symbol import SymbolTokenizer

BLANKS = " \t\r\v\f"
symbols = st.text(
    st.characters(exclude_characters=BLANKS + "\n", exclude_categories=["Cs"]),
    min_size=1,
)
lines = st.lists(st.lists(symbols).map(" ".join), min_size=1)
mixed = st.text(BLANKS + "\nab\u00a0\u2028\x85")


def fit(*some: str, **config: int) -> SymbolTokenizer:
    return SymbolTokenizer.fit(some, TokenizerConfig(level="symbol", **config))


@given(lines.map("\n".join))
def test_text_with_single_blanks_comes_back(text: str) -> None:
    tokenizer = fit(text, "a")

    assert tokenizer.normalise(text) == text
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(mixed)
def test_blanks_are_joined_within_and_dropped_around_a_line(text: str) -> None:
    expected = [re.sub(f"[{BLANKS}]+", " ", one).strip(" ") for one in text.split("\n")]

    assert fit("a").normalise(text) == "\n".join(expected)


@given(mixed)
def test_tokens_are_those_of_split_and_the_line_ends(text: str) -> None:
    words = (
        text.replace("\u00a0", "_").replace("\u2028", "_").replace("\x85", "_").split()
    )

    assert len(fit("a").encode(text)) == len(words) + text.count("\n")


@given(st.data())
def test_ids_come_back_from_their_text(data: st.DataObject) -> None:
    tokenizer = fit("the cat \n sat <unk> \u00a0 <s> \u00e9")
    ids = data.draw(st.lists(st.integers(1, tokenizer.vocab_size - 1)))

    assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids


@given(mixed, st.data())
def test_stream_continues_a_prompt(prompt: str, data: st.DataObject) -> None:
    tokenizer = fit("a b\n")
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size - 1)))
    stream = tokenizer.stream(prompt)

    text = prompt + "".join(map(stream.feed, ids))

    known = [token for token in ids if token]
    assert tokenizer.encode(text).tolist() == [*tokenizer.encode(prompt), *known]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("the", "the cat\nsat"),
        ("the ", "the cat\nsat"),
        ("the\n", "the\ncat\nsat"),
        ("", "cat\nsat"),
    ],
)
def test_sampled_text_has_single_blanks(prompt: str, text: str) -> None:
    tokenizer = fit("the cat\nsat")
    stream = tokenizer.stream(prompt)

    ids = tokenizer.encode("cat\nsat").tolist()

    assert prompt + "".join(map(stream.feed, ids)) == text


def test_file_in_the_style_of_ptb_is_encoded_by_hand_like_this() -> None:
    tokenizer = fit(" the cat \n the <unk> sat \n")

    ids, ends = tokenizer.encode_with_ends(" the dog \n  sat <unk>  ")

    assert tokenizer.pieces == ("\n", "the", "cat", "sat")  # twice, twice, once, once
    assert ids.tolist() == [3, 1, 2, 5, 1]
    assert ends.tolist() == [4, 8, 10, 15, 23]  # blanks at the end go to the last token
    assert tokenizer.decode(ids) == "the <unk>\nsat <unk>"
    assert tokenizer.count_unknown(ids) == 2


def test_symbols_are_kept_if_there_are_few() -> None:
    text = " ".join(map(str, range(999)))

    assert fit(text).vocab_size == 2 + 999
    assert fit(text + " 0 0", min_count=2).pieces == ("0",)


def test_many_symbols_must_occur_twice() -> None:
    text = " ".join(map(str, range(1000)))

    assert fit(text + " 7 7 8").pieces == ("7", "8")


def test_all_symbols_are_kept_where_unknown_ones_are_marked() -> None:
    text = " ".join(map(str, range(30_000)))

    assert fit(text + " <unk>").vocab_size == 2 + 30_000
    assert fit(text + " <unk>", vocab_size=10).vocab_size == 10
    assert fit(f"{text} {text}").vocab_size == 20_000


def test_long_text_has_the_symbols_of_its_lines() -> None:
    line = "the cat sat\ton  the mat \n"
    tokenizer = fit(line)

    assert tokenizer.encode(line * 50_000).tolist() == (
        tokenizer.encode(line).tolist() * 50_000
    )


@pytest.mark.parametrize("pieces", [["a b"], ["\ta"], ["\n\n"], ["<unk>"], ["a\n"]])
def test_json_with_impossible_symbols_is_refused(pieces: list[str]) -> None:
    with pytest.raises(ValueError, match="symbol"):
        from_json({"level": "symbol", "pieces": pieces})
