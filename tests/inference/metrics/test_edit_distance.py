"""Levenshtein distances, against the textbook recursion, and as a metric."""

import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.inference.metrics import edit_distance
from charrnn.inference.metrics.edit_distance import edit_distances

pairs = st.lists(st.tuples(st.text("abc", max_size=9), st.text("abc", max_size=9)))


def recursive(a: str, b: str) -> int:
    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        same = distance(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, same)

    return distance(len(a), len(b))


@given(pairs)
def test_distances_are_those_of_the_recursion(texts: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in texts], [b for _, b in texts]

    expected = [recursive(a, b) for a, b in texts]

    assert edit_distances(first, second).tolist() == expected


def test_size_of_batches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    sides = [
        ["".join(rng.choice([*"ab"], n)) for n in rng.integers(0, 30, 80)] for _ in "ab"
    ]
    expected = edit_distances(*sides).tolist()

    monkeypatch.setattr(edit_distance, "BATCH", 40)

    assert edit_distances(*sides).tolist() == expected


def test_symbols_may_be_of_several_letters() -> None:
    first, second = ["tʃ", "ə", "n"], ["t", "ə", "n", "tʃ"]

    assert edit_distances([first], [second]).tolist() == [2]


def test_ten_thousand_pairs_of_twenty_symbols_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 40, (2, 10_000, 20)).tolist()

    start = time.perf_counter()
    distances = edit_distances(*rows)

    assert time.perf_counter() - start < 2  # 0.2 s alone on the machine
    assert distances.max() <= 20
