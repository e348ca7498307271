"""Metrics of a tagger: tag accuracy, overall and on unseen words, and entity F1."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from charrnn.inference.metrics.figure import Figure, check_examples, ratio
from charrnn.inference.metrics.label_scores import (
    LabelCounts,
    LabelScore,
    f1,
    label_score,
)
from charrnn.inference.metrics.spans import are_span_tags, spans
from charrnn.inference.metrics.tables import (
    FRACTION,
    Table,
    TaskMetrics,
    Unit,
    scores_table,
)


@dataclass(frozen=True)
class TagMetrics(TaskMetrics):
    """How well the words of sentences were tagged.

    entity_f1: micro F1 over the type, start and end of entities; None if the gold tags
    mark no entities. entities: the scores per type. labels: the scores per tag.
    """

    examples: int
    words: int
    tag_accuracy: Figure
    labels: dict[str, LabelScore]
    unseen: int = 0
    tag_accuracy_unseen: Figure | None = None
    entity_f1: Figure | None = None
    entities: dict[str, LabelScore] | None = None

    @classmethod
    def of(
        cls,
        gold: Sequence[Sequence[str]],
        predicted: Sequence[Sequence[str]],
        *,
        unseen: Sequence[Sequence[bool]] | None = None,
    ) -> "TagMetrics":
        """Measure the predicted tags of sentences, in the order of the gold tags.

        unseen: for each word, whether it is missing from the training data.
        """
        check_examples(gold, predicted, unseen)
        lengths = [len(tags) for tags in gold]
        if lengths != [len(tags) for tags in predicted]:
            raise ValueError(
                "a sentence has more or fewer predicted tags than gold tags"
            )
        flat, guesses = list(chain(*gold)), list(chain(*predicted))
        sentences = np.repeat(np.arange(len(gold)), lengths)
        counts = LabelCounts.of(flat, guesses, sentences, len(gold))
        is_right = np.array([g == p for g, p in zip(flat, guesses, strict=True)], bool)
        accuracy = _accuracy(sentences, is_right, len(gold))
        metrics = cls(len(gold), len(flat), accuracy, counts.scores())
        changes: dict[str, Any] = {}
        if unseen is not None:
            new = np.array(list(chain(*unseen)), bool)
            figure = _accuracy(sentences[new], is_right[new], len(gold))
            changes = {"unseen": int(new.sum()), "tag_accuracy_unseen": figure}
        if are_span_tags(flat):
            figure, entities = _entities(gold, predicted)
            changes |= {"entity_f1": figure, "entities": entities}
        return cls(**vars(metrics) | changes)

    @property
    def figures(self) -> Mapping[str, tuple[Figure | None, Unit]]:
        """The figures by name."""
        return {
            "entity F1": (self.entity_f1, FRACTION),
            "tag accuracy": (self.tag_accuracy, FRACTION),
            "tag accuracy, unseen words": (self.tag_accuracy_unseen, FRACTION),
        }

    def tables(self) -> Iterator[Table]:
        """Yield the figures, and the scores per entity type or per tag."""
        yield from super().tables()
        if self.entities is None:
            yield scores_table("tag", self.labels)
        else:
            yield scores_table("entity", self.entities)

    def to_json(self) -> dict[str, Any]:
        """Return the metrics under the names that `score` prints."""
        values: dict[str, Any] = {"examples": self.examples, "words": self.words}
        for name in ("tag_accuracy", "tag_accuracy_unseen", "entity_f1"):
            if (figure := getattr(self, name)) is not None:
                values |= figure.to_json(name)
        if self.tag_accuracy_unseen is not None:
            values["words_unseen"] = self.unseen
        for name in ("labels", "entities"):
            if (scores := getattr(self, name)) is not None:
                values[name] = {key: asdict(score) for key, score in scores.items()}
        return values


def _accuracy(sentences: Any, is_right: Any, size: int) -> Figure:
    """Return the accuracy of words. sentences, is_right: (M,), one value per word."""
    zeros = np.zeros(len(sentences), np.int64)
    entries = [
        (sentences, zeros, is_right * 1.0),
        (sentences, zeros + 1, np.ones(len(sentences))),
    ]
    return Figure.of_entries(ratio, entries, (size, 2))


def _entities(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> tuple[Figure, dict[str, LabelScore]]:
    """Return the entity F1, and the scores of each entity type."""
    rows = []
    counts: Counter[tuple[str, int]] = Counter()
    for tags, guesses in zip(gold, predicted, strict=True):
        right, guessed = set(spans(tags)), set(spans(guesses))
        sets = (right & guessed, right, guessed)
        rows.append([len(found) for found in sets])
        counts.update((kind, k) for k, found in enumerate(sets) for kind, _, _ in found)
    scores = {
        kind: label_score(*(counts[kind, k] for k in range(3)))
        for kind in sorted({kind for kind, _ in counts})
    }
    return Figure.of(f1, rows), scores
