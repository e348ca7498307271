"""Validation batches: every target once, after enough of what is before it."""

import itertools

import numpy as np
import pytest
from support.parts import (
    all_targets,
    every_part,
    long_part,
    part_of,
    peak_bytes,
    predicted,
)

from charrnn.data import validation
from charrnn.data.batches import IGNORE, Batch
from charrnn.data.store import Part
from charrnn.data.validation import validation_batches
from charrnn.tokenizers.base import BOUNDARY


def read_before(group: list[Batch]) -> dict[int, list[int]]:
    """Return, for each counted position, the inputs its row had read by then."""
    read: dict[int, list[int]] = {}
    for row in range(group[0].inputs.shape[1]):
        inputs = np.concatenate([one.inputs[:, row] for one in group]).tolist()
        targets = np.concatenate([one.targets[:, row] for one in group]).tolist()
        for t, target in enumerate(targets):
            if target != IGNORE:
                read[target] = inputs[: t + 1]
    return read


@every_part
@pytest.mark.parametrize(
    ("segment", "warm_up", "window"),
    [
        (2048, 512, 256), (16, 4, 8), (10, 0, 8), (1, 0, 8), (5, 100, 8),
        (7, 3, 16), (64, 10, 24), (300, 299, 8),
    ],
)  # fmt: skip
def test_validation_predicts_every_target_once_after_its_warm_up(
    part: Part,
    segment: int,
    warm_up: int,
    window: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "SEGMENT", segment)
    monkeypatch.setattr(validation, "WARM_UP", warm_up)
    monkeypatch.setattr(validation, "VALIDATION_WINDOW", window)

    groups = list(validation_batches(part, rows=4))

    assert predicted(*itertools.chain(*groups)) == all_targets(part)
    for group in groups:
        assert not group[0].carried.any()
        assert all(one.carried.all() for one in group[1:])
        assert all(one.inputs.size <= 4 * window for one in group)
        for position, inputs in read_before(group).items():
            document = int(np.searchsorted(part.starts, position, "left")) - 1
            begin = int(part.starts[document])
            # it has read the boundary, then all of the document or enough of it
            assert inputs[0] == BOUNDARY
            assert inputs[1:] == list(range(position - len(inputs) + 1, position))
            assert position - len(inputs) >= begin
            assert position - len(inputs) == begin or len(inputs) > warm_up


def test_validation_of_a_document_within_a_segment_reads_it_from_its_start() -> None:
    part = part_of([700, 3, 2048])

    for group in validation_batches(part):
        for position, inputs in read_before(group).items():
            document = int(np.searchsorted(part.starts, position, "left")) - 1
            assert len(inputs) == position - part.starts[document]


@pytest.mark.parametrize(
    "lengths", [[2] * 30_000, [300] * 500, [2000] * 100, [50_000], [1, 60_000]]
)
def test_batches_of_validation_have_a_bounded_size(lengths: list[int]) -> None:
    part = part_of(lengths)

    for group in validation_batches(part):
        assert all(one.inputs.size <= 64 * 256 for one in group)


def test_validation_of_a_very_long_document_takes_little_memory_for_its_length() -> (
    None
):
    part = long_part(10**8)

    # a few numbers for each of 49,000 pieces
    assert peak_bytes(lambda: next(validation_batches(part))) < 1e7
