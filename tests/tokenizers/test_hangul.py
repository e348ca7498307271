"""Hangul syllables become letters and syllables again; nothing else changes."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from charrnn.tokenizers.base import BOUNDARY
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.hangul import JamoTokenizer, compose, decompose

SYLLABLES = [chr(code) for code in range(0xAC00, 0xD7A4)]
JAMO = re.compile("[\u1100-\u1112\u1161-\u1175\u11a8-\u11c2]")
letters = st.text("\u1100\u1112\u1113\u1161\u1175\u1176\u11a7\u11a8\u11c2\u11c3 a")
texts = st.one_of(
    st.text(), st.text(["\uac00", "\ud7a3", "\uac01", "\u1113", "e", "\u0301"])
)


def test_letters_of_a_syllable_are_those_of_unicode() -> None:
    expected = [unicodedata.normalize("NFD", syllable) for syllable in SYLLABLES]

    assert [decompose(syllable) for syllable in SYLLABLES] == expected
    assert len(set("".join(expected))) == 19 + 21 + 27


def test_all_syllables_in_a_row_come_back() -> None:
    text = "".join(SYLLABLES)

    assert compose(decompose(text)) == text


@given(texts.map(lambda text: JAMO.sub("", text)))
def test_text_without_separate_letters_comes_back(text: str) -> None:
    assert compose(decompose(text)) == text


@given(letters)
def test_letters_come_back(text: str) -> None:
    assert decompose(compose(text)) == text


@given(letters)
def test_groups_of_letters_are_those_of_unicode(text: str) -> None:
    assert compose(text) == unicodedata.normalize("NFC", text)


@given(st.text().filter(lambda text: not set(text) & set(SYLLABLES)))
def test_text_without_syllables_does_not_change(text: str) -> None:
    assert decompose(text) == text


def test_other_decomposable_characters_do_not_change() -> None:
    text = "\u00e9 e\u0301 \u212b \uf900 \u3131\u314f"

    assert compose(decompose(text)) == text


def test_word_is_decomposed_by_hand_like_this() -> None:
    assert decompose("\ud55c\uae00!") == "\u1112\u1161\u11ab\u1100\u1173\u11af!"


@given(st.lists(st.text("\ud55c\uae00\uac00ab")))
def test_texts_encoded_at_once_are_those_encoded_one_by_one(some: list[str]) -> None:
    tokenizer = JamoTokenizer.fit(["\ud55c\uae00a"], TokenizerConfig(min_count=1))

    ids, places = tokenizer.encode_closed(some)

    expected = [[*tokenizer.encode(text).tolist(), BOUNDARY] for text in some]
    assert ids.tolist() == [token for text in expected for token in text]
    assert [*map(int, places)] == [n for n, i in enumerate(ids) if i == BOUNDARY]


def test_only_the_last_letter_ends_a_syllable() -> None:
    tokenizer = JamoTokenizer.fit(["\ud55c\uac00a"], TokenizerConfig(min_count=1))

    ids, ends = tokenizer.encode_with_ends("a\ud55c\uac00")

    assert ids.tolist() == tokenizer.encode("a\ud55c\uac00").tolist()
    assert ends.tolist() == [1, 1, 1, 2, 2, 3]
