"""Metrics of taggers, against nervaluate and by hand."""

import numpy as np
import pytest
from nervaluate.evaluator import Evaluator

from charrnn.inference.metrics.tag import TagMetrics


def random_tags(seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Return gold and predicted tags of 50 sentences, half of them equal."""
    rng = np.random.default_rng(seed)
    gold, predicted = [], []
    for size in rng.integers(1, 12, 50):
        tags = rng.choice(["O", "B-x", "I-x", "B-y", "I-y"], size)
        other = rng.choice(["O", "B-x", "I-x", "B-y", "I-y"], size)
        gold.append([*tags.tolist(), "O"])
        predicted.append([*np.where(rng.random(size) < 0.5, tags, other), "O"])
    return gold, [[str(tag) for tag in tags] for tags in predicted]


@pytest.mark.parametrize("seed", range(5))
def test_entity_f1_is_the_strict_f1_of_nervaluate(seed: int) -> None:
    gold, predicted = random_tags(seed)

    metrics = TagMetrics.of(gold, predicted)

    found = Evaluator(gold, predicted, tags=["x", "y"], loader="list").evaluate()
    assert metrics.entity_f1 is not None
    assert metrics.entities is not None
    reference = found["overall"]["strict"]
    assert metrics.entity_f1.value == pytest.approx(reference.f1, abs=1e-12)
    for kind in "xy":
        score, theirs = metrics.entities[kind], found["entities"][kind]["strict"]
        assert score.precision == pytest.approx(theirs.precision, abs=1e-12)
        assert score.recall == pytest.approx(theirs.recall, abs=1e-12)


def test_tag_accuracy_counts_words_not_sentences() -> None:
    gold = [["A"], ["A", "B", "B", "B"]]
    predicted = [["B"], ["A", "B", "B", "A"]]

    metrics = TagMetrics.of(gold, predicted)

    assert metrics.tag_accuracy.value == 3 / 5
    assert (metrics.examples, metrics.words) == (2, 5)
    # B: 2 hits of 3, predicted 3 times
    assert metrics.labels["B"].f1 == pytest.approx(2 * 2 / (3 + 3))


def test_accuracy_on_unseen_words_counts_only_these() -> None:
    gold = [["A", "B"], ["A"], ["B"]]
    predicted = [["A", "A"], ["B"], ["B"]]
    unseen = [[False, True], [False], [True]]

    metrics = TagMetrics.of(gold, predicted, unseen=unseen)

    assert metrics.to_json()["tag_accuracy_unseen"] == 1 / 2
    assert metrics.to_json()["words_unseen"] == 2


def test_accuracy_on_unseen_words_is_undefined_if_all_are_known() -> None:
    metrics = TagMetrics.of([["A"], ["B"]], [["A"], ["B"]], unseen=[[False], [False]])

    assert metrics.to_json()["tag_accuracy_unseen"] is None


def test_entity_f1_needs_the_right_type_start_and_end() -> None:
    gold = [["B-x", "I-x", "O", "B-y", "O", "B-x"]]
    predicted = [["B-x", "O", "O", "B-x", "O", "B-x"]]

    metrics = TagMetrics.of(gold, predicted)

    # one of 3 is right and one of 3 predicted is right
    assert metrics.to_json()["entity_f1"] == pytest.approx(1 / 3)
    assert metrics.headline is metrics.entity_f1


def test_part_of_speech_tags_have_no_entity_f1() -> None:
    metrics = TagMetrics.of([["NOUN", "VERB"]], [["NOUN", "NOUN"]])

    assert "entity_f1" not in metrics.to_json()
    assert "entities" not in metrics.to_json()
    assert metrics.headline is metrics.tag_accuracy


def test_entities_found_where_there_are_none_lower_precision() -> None:
    gold = [["B-x", "O", "O"], ["O", "O", "O"]]
    predicted = [["B-x", "O", "O"], ["O", "B-y", "O"]]

    metrics = TagMetrics.of(gold, predicted)

    assert metrics.entity_f1 is not None
    assert metrics.entity_f1.value == pytest.approx(2 * 1 / (1 + 2))
    assert metrics.to_json()["entities"]["y"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "count": 0,
    }


def test_a_sentence_with_fewer_predicted_tags_is_refused() -> None:
    with pytest.raises(ValueError, match="more or fewer"):
        TagMetrics.of([["A", "B"]], [["A"]])
