"""Hangul syllables become letters and syllables again; nothing else changes."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from charrnn.tokenizers.hangul import compose, decompose

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
