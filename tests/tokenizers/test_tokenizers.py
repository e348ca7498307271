import functools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.levels import cases

from charrnn.errors import TextError, UsageError
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.char import CharTokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.word import WordTokenizer

CORPUS = "The cat sat on the mat; the café's hat\tsat — on the CAT!\r\nन😀\n" * 3
LOOKS_SPECIAL = "<s> </s> <unk> <pad> <0x41> <0x0A> <EOS> <UNK> \u2581\u2585\0\ufeff"

every_level = pytest.mark.parametrize("level", tokenizers.TOKENIZERS)
listing = pytest.mark.parametrize(
    "level", ["char", "word", "subword", "symbol", "features"]
)
texts = st.one_of(
    st.text(),
    st.text(CORPUS + "\u2581\0\u0301"),
    st.lists(st.sampled_from([*CORPUS.split(" "), " ", *LOOKS_SPECIAL.split(" ")])).map(
        "".join
    ),
)


@functools.cache
def learned(level: str) -> tokenizers.Tokenizer:
    return tokenizers.fit([CORPUS], TokenizerConfig(level=level))


def unknown_of(tokenizer: tokenizers.Tokenizer) -> bytes:
    return b"<unk>" if tokenizer.level == "symbol" else "\ufffd".encode()


# --- the contract, for every tokenizer


@pytest.mark.promise("R9")
@every_level
@settings(max_examples=cases(40, 10_000))
@given(text=texts)
def test_text_comes_back_but_for_what_is_unknown(level, text):
    tokenizer = learned(level)
    text = tokenizer.normalise(text)
    ids, ends = tokenizer.encode_with_ends(text)
    known, start = [], 0
    for token, end in zip(ids.tolist(), ends.tolist(), strict=True):
        piece = tokenizer.normalise(text[start:end]).encode()
        known.append(unknown_of(tokenizer) if token == tokenizer.unknown else piece)
        start = end

    assert tokenizer.decode_bytes(ids) == tokenizer.join(known)


@every_level
@settings(max_examples=20)
@given(text=texts.filter(len))
def test_text_that_was_learned_whole_comes_back(level, text):
    config = TokenizerConfig(level=level, min_count=1)
    tokenizer = tokenizers.fit([text, "a"], config)

    assert tokenizer.decode(tokenizer.encode(text)) == tokenizer.normalise(text)


@every_level
@given(text=texts)
def test_text_encodes_as_its_normal_form_does(level, text):
    tokenizer = learned(level)
    normal = tokenizer.normalise(text)

    assert np.array_equal(tokenizer.encode(normal), tokenizer.encode(text))
    assert tokenizer.normalise(normal) == normal
    assert normal == text or level in ("symbol", "features")


@every_level
@given(text=texts)
def test_no_text_encodes_to_the_boundary_or_beyond_the_vocabulary(level, text):
    ids = learned(level).encode(text)

    assert ids.dtype == np.int64
    assert np.all((ids > 0) & (ids < learned(level).vocab_size))


@every_level
@given(data=st.data())
def test_streamed_ids_are_the_decoded_text(level, data):
    some_id = st.integers(0, learned(level).vocab_size - 1)
    ids = data.draw(st.lists(some_id))
    stream = learned(level).stream()

    streamed = [stream.feed(token) for token in ids] + [stream.flush()]

    assert "".join(streamed) == learned(level).decode(ids)


@every_level
@given(text=texts.filter(lambda text: "\ufffd" not in text))
def test_stream_never_splits_a_character(level, text):
    ids = learned(level).encode(text).tolist()
    stream = learned(level).stream()

    streamed = "".join(map(stream.feed, ids))

    unknown = unknown_of(learned(level)).decode()
    assert streamed.count(unknown) == ids.count(learned(level).unknown)
    assert "\ufffd" not in streamed.replace(unknown, "")
    assert stream.flush() == ""


@every_level
@given(text=texts)
def test_json_keeps_the_tokenizer(level, text):
    tokenizer = learned(level)

    rebuilt = tokenizers.from_json(json.loads(json.dumps(tokenizer.to_json())))

    assert rebuilt.vocab_size == tokenizer.vocab_size
    assert rebuilt.never_generated == tokenizer.never_generated
    assert np.array_equal(rebuilt.encode(text), tokenizer.encode(text))


@listing
@pytest.mark.parametrize("value", [None, 1, "??", [1], ["a", "a"], [""], "AAAA"])
def test_json_that_makes_no_sense_is_refused(level, value):
    values = {"level": level, "characters": value, "pieces": value, "model": value}

    with pytest.raises(ValueError, match=r"[a-z]"):
        tokenizers.from_json(values)


@every_level
@given(some=st.lists(texts))
def test_many_texts_encode_as_one_by_one(level, some):
    one_by_one = [[*learned(level).encode(text).tolist(), 0] for text in some]

    ids, places = learned(level).encode_closed(some)

    assert ids.tolist() == [token for closed in one_by_one for token in closed]
    assert np.flatnonzero(ids == 0).tolist() == places.tolist()


@every_level
@given(text=texts)
def test_token_ends_rise_to_the_end_of_the_text(level, text):
    ids, ends = learned(level).encode_with_ends(text)

    assert np.array_equal(ids, learned(level).encode(text))
    assert len(ends) == len(ids)
    assert np.all(np.diff(ends) >= 0)
    assert not learned(level).normalise(text) or ends[-1] == len(text)


@every_level
def test_tokens_that_add_nothing_are_never_generated(level):
    tokenizer = learned(level)
    silent = {i for i in range(1, tokenizer.vocab_size) if not tokenizer.token_bytes(i)}
    unknown = {tokenizer.unknown} - {None}

    assert set(tokenizer.never_generated) == silent | unknown
    assert tokenizer.token_bytes(tokenizer.boundary) == b""


@every_level
def test_empty_text_has_no_tokens(level):
    ids, ends = learned(level).encode_with_ends("")

    assert (len(ids), len(ends)) == (0, 0)
    assert learned(level).decode([]) == ""


@listing
@pytest.mark.parametrize("nothing", [[], [""], ["", ""]])
def test_nothing_cannot_be_learned(level, nothing):
    with pytest.raises(TextError):
        tokenizers.fit(nothing, TokenizerConfig(level=level))


@listing
def test_vocabulary_without_room_for_a_piece_is_refused(level):
    with pytest.raises(UsageError, match="`vocab_size` is 2"):
        tokenizers.fit([CORPUS], TokenizerConfig(level=level, vocab_size=2))


@pytest.mark.promise("R9")
@pytest.mark.parametrize("level", ["byte", "subword"])
@settings(max_examples=cases(40, 10_000))
@given(data=st.binary())
def test_bytes_that_are_no_text_come_back(level, data):
    ids, ends = learned(level).encode_with_ends(data.decode("utf-8", "surrogateescape"))

    assert learned(level).decode_bytes(ids) == data
    assert ends.tolist() == sorted(ends.tolist())


# --- characters and bytes by hand


def fit_char(*some: str, **config) -> CharTokenizer:
    return CharTokenizer.fit(some, TokenizerConfig(level="char", **config))


def test_characters_are_numbered_by_code_point_after_boundary_and_unknown():
    tokenizer = fit_char("ba", "ab😀😀")

    assert tokenizer.encode("ab😀é\U0010ffff").tolist() == [2, 3, 4, 1, 1]
    assert tokenizer.decode([3, 0, 1, 2]) == "b\ufffda"
    assert [tokenizer.piece(i) for i in range(3)] == ["<EOS>", "<UNK>", "a"]


def test_rare_characters_are_unknown():
    assert fit_char("aab").characters == ("a",)


def test_all_characters_are_kept_where_all_are_rare():
    assert fit_char("cab").characters == ("a", "b", "c")


def test_a_small_vocabulary_keeps_the_most_frequent_characters():
    assert fit_char("bbb ccc aa dd", vocab_size=5).characters == (" ", "b", "c")


def test_a_long_text_encodes_as_its_parts_do():
    assert fit_char("ab").encode("ab" * 200_000).tolist() == [2, 3] * 200_000


def test_escaped_bytes_are_characters_of_one_byte():
    tokenizer = fit_char("\udce9\udce9\ud800\ud800")

    assert tokenizer.characters == ("\udce9",)
    assert tokenizer.decode_bytes([2]) == b"\xe9"


def test_byte_ids_are_bytes_plus_one():
    ids, ends = learned("byte").encode_with_ends("é\udcffa")  # C3 A9, FF, 61

    assert ids.tolist() == [0xC3 + 1, 0xA9 + 1, 0xFF + 1, 0x61 + 1]
    assert ends.tolist() == [0, 1, 2, 3]  # half an é ends where the é starts


# --- words by hand


def fit_word(*some: str, **config) -> WordTokenizer:
    return WordTokenizer.fit(some, TokenizerConfig(level="word", **config))


@pytest.mark.parametrize(
    "pieces",
    [
        ["Don't", " stop", " ", " now", "!", "\n"],
        ["'", "Tis", " ", "_", "so", "_", " ", "(", "a1", ")", "\t", "\r", "\n"],
        ["cafe\u0301", " हिन्दी", " l’été", "\u00a0", "می\u200cخواهم"],
        ["\u0301", "_", "\0", "\u2028", " ", "\u0301", "😀", "\ufe0f", "\udc80"],
    ],
)
def test_words_are_cut_by_hand_like_this(pieces):
    tokenizer = fit_word("".join(pieces), min_count=1)

    ids = tokenizer.encode("".join(pieces))

    cut = [tokenizer.token_bytes(i).decode("utf-8", "surrogateescape") for i in ids]
    assert cut == pieces


def test_words_are_numbered_by_falling_count_then_by_name():
    assert fit_word("z z z y y y x x").pieces == (" y", " x", " z")


def test_unknown_words_end_where_they_end():
    tokenizer = fit_word("the the the the cat")

    ids, ends = tokenizer.encode_with_ends("the zebra the")

    assert tokenizer.pieces == (" the",)
    assert ids.tolist() == [1, 1, 2]
    assert ends.tolist() == [3, 9, 13]


def test_words_of_a_long_text_are_those_of_its_lines():
    line = "the cat sat, and the cat\n"
    tokenizer = fit_word(line * 50_000)  # 1.25 million characters: more than a slice

    assert tokenizer.encode(line * 50_000).tolist() == (
        tokenizer.encode(line).tolist() * 50_000
    )


def test_words_stop_at_twenty_thousand():
    tokenizer = fit_word(" ".join(f"{n} {n}" for n in range(21_000)))

    assert tokenizer.vocab_size == 20_000
