"""Splitting inputs into words, and recognizing known words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.labellers import LENGTHS, SOURCE

from charrnn.data.parts import part_of
from charrnn.models.labeller import words as module
from charrnn.models.labeller.words import (
    MAX_LETTERS,
    Words,
    known_words,
    split_words,
    vector_rows,
)
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

BLANK = 2

texts = st.lists(
    st.lists(st.integers(2, 5), min_size=1, max_size=60), min_size=1, max_size=6
)


def padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(row) for row in rows])
    source = np.zeros((len(rows), lengths.max()), np.int64)
    for number, row in enumerate(rows):
        source[number, : len(row)] = row
    return source, lengths


def spelled(words: Words, row: int) -> list[list[int]]:
    """Return the words of a row as lists of letters."""
    places = words.index[: words.counts[row], row]
    return [words.letters[: words.lengths[n], n].tolist() for n in places]


def split(row: list[int]) -> list[list[int]]:
    """Return the words of a row, found one letter at a time."""
    found: list[list[int]] = [[]]
    for token in row:
        if token == BLANK:
            found.append([])
        else:
            found[-1].append(token)
    return [word for word in found if word] or [[BLANK]]


def shortened(word: list[int]) -> list[int]:
    half = MAX_LETTERS // 2
    return word[:half] + word[-half:] if len(word) > MAX_LETTERS else word


@given(texts)
def test_words_are_what_blanks_separate(rows: list[list[int]]) -> None:
    words = split_words(*padded(rows), BLANK)

    for number, row in enumerate(rows):
        assert spelled(words, number) == [shortened(word) for word in split(row)]


@given(texts)
def test_equal_words_are_one_word_and_different_words_are_several(
    rows: list[list[int]],
) -> None:
    words = split_words(*padded(rows), BLANK)

    distinct = {tuple(word) for row in rows for word in split(row)}
    assert words.letters.shape[1] == len(words.hashes) == len(distinct)
    assert len(set(words.hashes.tolist())) == len(distinct)


@given(texts)
def test_hash_of_a_word_depends_on_its_letters_only(rows: list[list[int]]) -> None:
    together = split_words(*padded(rows), BLANK)

    for number, row in enumerate(rows):
        alone = split_words(*padded([row]), BLANK)
        places = together.index[: together.counts[number], number]
        own = alone.hashes[alone.index[:, 0]]
        assert together.hashes[places].tolist() == own.tolist()


@given(texts)
def test_groups_contain_every_word_once_from_short_to_long(
    rows: list[list[int]],
) -> None:
    words = split_words(*padded(rows), BLANK)

    parts = [words.lengths[group].tolist() for group in words.groups]
    assert sum(parts, []) == sorted(words.lengths.tolist())
    assert all(parts)


def test_words_of_a_batch_by_hand() -> None:
    words = split_words(SOURCE, LENGTHS, BLANK)

    assert words.counts.tolist() == [3, 2, 1, 4]
    assert spelled(words, 0) == [[3, 4], [5, 6], [7]]
    assert spelled(words, 3) == [[6], [7], [5], [3, 4]]
    # 3 4 and 7 and 5 occur in two rows each
    assert words.letters.shape == (2, 6)


def test_row_of_blanks_is_one_word() -> None:
    words = split_words(*padded([[2, 2, 2], [3, 2]]), BLANK)

    assert spelled(words, 0) == [[BLANK]]
    assert spelled(words, 1) == [[3]]


def test_without_a_blank_the_whole_row_is_a_word() -> None:
    words = split_words(*padded([[2, 3, 2], [4]]), 0)

    assert spelled(words, 0) == [[2, 3, 2]]
    assert spelled(words, 1) == [[4]]


# --- known words


TEXTS = ["the cat sat", "the", "a cat", "rare"]


def hashes_of(tokenizer: object, texts: list[str]) -> list[int]:
    rows = [tokenizer.encode(text).tolist() for text in texts]  # type: ignore[attr-defined]
    words = split_words(*padded(rows), int(tokenizer.encode(" ")[0]))  # type: ignore[attr-defined]
    return words.hashes[words.index[0]].tolist()


@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
@pytest.mark.parametrize("learns_end", [False, True])
def test_words_that_occur_twice_are_known(
    monkeypatch: pytest.MonkeyPatch, chunk: int, learns_end: bool
) -> None:
    monkeypatch.setattr(module, "CHUNK_TOKENS", chunk)
    tokenizer = fit(TEXTS, TokenizerConfig("char", min_count=1))
    part = part_of(TEXTS, tokenizer, learns_end=learns_end)

    known = known_words(part, int(tokenizer.encode(" ")[0]))

    assert known.tolist() == sorted(hashes_of(tokenizer, ["the", "cat"]))


def test_rows_of_vectors_are_those_of_the_known_words() -> None:
    known = np.array([-7, 3, 8])

    rows = vector_rows(np.array([8, -7, 0, 3, 9, -9]), known)

    assert rows.tolist() == [3, 1, 0, 2, 0, 0]
