"""Metrics as tables to read."""

import pytest

from charrnn.inference.metrics.classify import ClassifyMetrics
from charrnn.inference.metrics.tables import (
    FRACTION,
    MOST_LABELS,
    PERCENT,
    PLAIN,
    confusion_matrix,
    scores_table,
)
from charrnn.inference.metrics.tag import TagMetrics
from charrnn.inference.metrics.translate import TranslateMetrics


@pytest.mark.parametrize(
    ("unit", "shown"),
    [(FRACTION, "12.35%"), (PERCENT, "0.12%"), (PLAIN, "0.12")],
)
def test_figures_have_two_decimals(unit: object, shown: str) -> None:
    assert unit.shown(0.12346) == shown  # type: ignore[attr-defined]
    assert unit.shown(float("nan")) == "-"  # type: ignore[attr-defined]


def test_letters_stand_for_the_labels_of_a_matrix() -> None:
    matrix = confusion_matrix(["ham", "spam"], {("ham", "ham"): 7, ("spam", "ham"): 2})

    assert matrix.rows == [
        ("gold", "a", "b"),
        ("a ham", "7", "."),
        ("b spam", "2", "."),
    ]


@pytest.mark.parametrize(("labels", "first"), [(20, "gold"), (21, "gold")])
def test_many_labels_have_a_list_of_worst_pairs_instead_of_a_matrix(
    labels: int, first: str
) -> None:
    gold = [f"l{k}" for k in range(labels)]
    predicted = ["l1", *gold[1:]]

    *_, confusions = ClassifyMetrics.of(gold, predicted).tables()

    assert confusions.rows[0][0] == first
    if labels <= 20:
        assert len(confusions.rows) == len(confusions.rows[0]) == labels + 1
    else:
        assert confusions.rows[1:] == [("l0", "l1", "1")]


def test_long_table_of_scores_ends_with_the_number_of_other_labels() -> None:
    gold = [f"l{k}" for k in range(MOST_LABELS + 2)]
    scores = ClassifyMetrics.of(gold, gold).labels

    rows = scores_table("label", scores).rows

    assert len(rows) == MOST_LABELS + 2
    assert rows[-1][0] == "... and 2 more"


def test_first_figure_is_the_headline() -> None:
    tags, spans = ["N", "V"], ["B-x", "O"]

    assert ClassifyMetrics.of(["a"], ["b"]).headline.value == 0
    assert TranslateMetrics.of(["a"], ["a"]).headline.value == 1
    assert TagMetrics.of([tags], [["N", "N"]]).headline.value == 0.5
    assert TagMetrics.of([spans], [["O", "O"]]).headline.value == 0  # entity F1


def test_entities_are_shown_instead_of_their_tags() -> None:
    figures, scores = TagMetrics.of([["B-x", "O"]], [["B-x", "O"]]).tables()

    assert [row[0] for row in figures.rows] == ["", "entity F1", "tag accuracy"]
    assert [row[0] for row in scores.rows] == ["entity", "x"]
