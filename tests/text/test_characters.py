"""Texts as code points, against ord and Counter."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import characters
from charrnn.text.characters import chunks, code_points, count_characters

# every width that a Python string has internally, and lone surrogates
texts = st.one_of(
    st.text(st.characters(max_codepoint=127, exclude_categories=())),
    st.text(st.characters(max_codepoint=255, exclude_categories=())),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=())),
    st.text(st.characters(exclude_categories=())),
)


@given(texts)
def test_code_points_are_those_of_ord(text):
    assert code_points(text).tolist() == [ord(character) for character in text]


@pytest.mark.parametrize(
    ("text", "size"), [("az", 1), ("aé", 2), ("a\ud800", 2), ("a😀", 4)]
)
def test_code_points_use_the_narrowest_type(text, size):
    assert code_points(text).itemsize == size


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_characters_are_counted(some):
    counts = count_characters(some)

    expected = Counter(map(ord, "".join(some)))
    assert {int(point): int(counts[point]) for point in counts.nonzero()[0]} == expected


def test_lone_surrogates_are_counted_only_where_they_stand_for_a_byte():
    assert np.flatnonzero(count_characters(["\ud800\udc80\udcff\udd00"])).tolist() == [
        0xDC80,
        0xDCFF,
    ]


@given(st.lists(st.text("ab", max_size=20)), st.integers(1, 8))
def test_chunks_are_the_texts_in_strings_of_bounded_size(some, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(characters, "CHUNK_CHARACTERS", size)
        found = list(chunks(some))

    assert "".join(found) == "".join(some)
    assert all(size <= len(chunk) < 2 * size for chunk in found[:-1])
