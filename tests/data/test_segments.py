"""Segments: where they lie, their order and their groups, against the plain forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.parts import part_of, peak_bytes

from charrnn.data import segments
from charrnn.data.segments import Segments, group, histogram, noisy_order


@pytest.fixture(autouse=True)
def in_small_blocks(monkeypatch):
    monkeypatch.setattr(segments, "BLOCK", 5)
    monkeypatch.setattr(segments, "SORTED_TOGETHER", 7)


def plain_group(lengths: list[int], budget: int) -> list[int]:
    """Cut sorted lengths, row by row."""
    cuts = [0]
    for end in range(1, len(lengths)):
        if (end - cuts[-1] + 1) * lengths[end] > budget:
            cuts.append(end)
    return [*cuts, len(lengths)] if lengths else cuts


# --- segments


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(1, 20))
def test_segments_are_the_documents_end_to_end(lengths, longest):
    part = part_of(lengths, has_ends=False)
    found = Segments(part, longest)

    starts, begins = found.locate(np.arange(len(found.lengths)))

    ends = starts + found.lengths
    covered = [np.arange(a, b) for a, b in zip(starts, ends, strict=True)]
    inputs = [
        np.arange(start, start + length)
        for start, length in zip(part.starts, part.lengths, strict=True)
    ]
    empty = np.empty(0, int)
    assert np.array_equal(
        np.concatenate([empty, *covered]), np.concatenate([empty, *inputs])
    )
    assert np.isin(starts - begins, part.starts).all()


@given(st.lists(st.integers(1, 90), min_size=1, max_size=10), st.integers(1, 20))
def test_segments_of_a_document_are_about_equally_long(lengths, longest):
    for length in lengths:
        found = Segments(part_of([length]), longest).lengths

        assert found.max() <= longest
        assert found.max() - found.min() <= 1


def test_segments_worked_by_hand():
    # tokens B 1 2 B 4 5 6 7 B: documents of 3 and 5 targets, their ends included
    found = Segments(part_of([3, 5]), 3)

    starts, begins = found.locate(np.array([2, 0, 1]))

    assert found.lengths.tolist() == [3, 2, 3]
    assert starts.tolist() == [5, 0, 3]
    assert begins.tolist() == [2, 0, 0]


# --- order


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(0, 2**40))
def test_noisy_order_is_that_of_one_stroke(lengths, seed):
    plain, ranged = (np.random.default_rng(seed) for _ in range(2))
    noise = plain.uniform(0.9, 1.1, len(lengths))
    expected = np.argsort(np.array(lengths, int) * noise, kind="stable")

    order = noisy_order(np.array(lengths, np.uint16), ranged)

    assert order.tolist() == expected.tolist()
    assert ranged.random() == plain.random()  # it drew as many numbers


# --- groups


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 100))
def test_groups_are_those_of_row_by_row(lengths, budget):
    counts = histogram(np.array(lengths, np.uint16))

    assert group(counts, budget).tolist() == plain_group(sorted(lengths), budget)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_histogram_counts_each_length(lengths):
    counts = histogram(np.array(lengths, np.uint16))

    assert counts.tolist() == [
        lengths.count(length) for length in range(max(lengths, default=0) + 1)
    ]


# --- memory


def test_a_segment_costs_a_few_bytes(monkeypatch):
    monkeypatch.setattr(segments, "BLOCK", 4096)
    monkeypatch.setattr(segments, "SORTED_TOGETHER", 8192)
    part = part_of([5, 70, 9, 30] * 50_000)

    # two, and the block at hand
    assert peak_bytes(lambda: Segments(part, 512)) < 4 * 200_000
    lengths = Segments(part, 512).lengths
    # the four of the order, and a range
    order = peak_bytes(lambda: noisy_order(lengths, np.random.default_rng(0)))
    assert order < 8 * 200_000
