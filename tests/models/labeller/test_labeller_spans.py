"""Which labels of spans may follow which: the notations IOB2 and BIOES."""

from itertools import product

import numpy as np
import pytest

from charrnn.models.labeller.spans import illegal_share, legal_transitions, mark_spans

IOB2 = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
BIOES = ["O", *(f"{part}-{kind}" for kind in ("LOC", "PER") for part in "BIES")]
BILOU = [name.replace("E-", "L-").replace("S-", "U-") for name in BIOES]

#: a type of one word, and of more
NOTATIONS = {"iob2": (IOB2, "B", "BI"), "bioes": (BIOES, "S", "BIE")}
NOTATIONS["bilou"] = (BILOU, "U", "BIL")


def sequences(length: int) -> list[list[tuple[int, int, str]]]:
    """Return every way to mark spans (first, last, type) in a text."""
    if length <= 0:
        return [[]]
    found = sequences(length - 1)
    for size, kind in product(range(1, length + 1), ("LOC", "PER")):
        span = (length - size, length - 1, kind)
        found += [[*spans, span] for spans in sequences(length - size)]
    return found


def written(spans: list[tuple[int, int, str]], length: int, notation: str) -> list[str]:
    _, whole, parts = NOTATIONS[notation]
    labels = ["O"] * length
    for first, last, kind in spans:
        inner = [parts[1]] * (last - first - 1)
        marks = [parts[0], *inner, parts[-1]] if last > first else [whole]
        labels[first : last + 1] = [f"{mark}-{kind}" for mark in marks]
    return labels


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_legal_sequences_are_exactly_the_ways_to_write_spans(
    notation: str, length: int
) -> None:
    names = ["", "", *NOTATIONS[notation][0]]
    legal = legal_transitions(names)

    found = {
        labels
        for labels in product(range(2, len(names)), repeat=length)
        if all(legal[i, j] for i, j in zip((0, *labels), (*labels, 0), strict=True))
    }

    expected = {
        tuple(names.index(label) for label in written(spans, length, notation))
        for spans in sequences(length)
    }
    assert found == expected


@pytest.mark.parametrize("names", [IOB2, BIOES, BILOU, ["B-X", "I-X"], ["O", "B-X"]])
def test_labels_of_spans_are_recognized(names: list[str]) -> None:
    assert mark_spans(names)


@pytest.mark.parametrize(
    "names",
    [
        ["NOUN", "VERB"],
        ["O"],
        ["O", "B"],
        ["O", "I-X"],
        [*IOB2, "NOUN"],
        ["B-X", "I-X", "E-X"],  # no sequence for a text of one word
        ["B-", "O"],
    ],
)
def test_other_labels_are_not(names: list[str]) -> None:
    assert not mark_spans(names)


def test_share_of_illegal_transitions_counts_each_of_them() -> None:
    legal = legal_transitions(["", "", *IOB2])
    # O I-LOC | B-PER I-PER: one of six transitions is illegal
    labels = np.array([0, 2, 4, 0, 5, 6, 0])

    assert illegal_share(legal, labels) == pytest.approx(1 / 6)
    assert illegal_share(legal, labels[:1]) == 0
