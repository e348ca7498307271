"""What labelled data contains, including what a user may want to check."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from charrnn.data.formats.base import Example

SHOWN: Final = 3  #: number of contradictions that are listed
#: Labels that differ only in these marks at the end are probably the same label.
MARKS: Final = " .,;:!?'\"_-"


@dataclass(frozen=True)
class Lengths:
    """The median and the largest of some lengths, in characters or words."""

    median: float
    longest: int


@dataclass(frozen=True)
class LabelledReport:
    """Counts of labelled data.

    labels: each label or tag with its count, most frequent first; empty if outputs are
    texts. twins: labels that differ only in case, blanks or marks. repeated: number of
    examples that are equal to an earlier one. contradictory: number of inputs with
    several outputs. contradictions: some of these inputs with their outputs. unit: the
    unit of the lengths. copied: the fraction of outputs that are equal to their inputs.
    unseen: the fraction of the words in held-out examples that do not occur in the
    training examples; None if words have no tags.
    """

    examples: int
    labels: tuple[tuple[str, int], ...]
    twins: tuple[tuple[str, ...], ...]
    repeated: int
    contradictory: int
    contradictions: tuple[tuple[str, tuple[str, ...]], ...]
    unit: str
    inputs: Lengths
    outputs: Lengths
    copied: float
    unseen: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self) | {
            "labels": dict(self.labels),
            "contradictions": [
                {"input": source, "outputs": list(outputs)}
                for source, outputs in self.contradictions
            ],
        }


def report(
    examples: Sequence[Example],
    task: str,
    parts: tuple[Sequence[Example], Sequence[Example]] = ((), ()),
) -> LabelledReport:
    """Return the counts of the examples in a file. Raises ValueError if it has none.

    parts: the training and the held-out examples, to count unseen words.
    """
    if not examples:
        raise ValueError("there are no examples")
    labels = Counter(label for one in examples for label in labels_of(one, task))
    outputs: dict[str, set[str]] = defaultdict(set)
    for one in examples:
        outputs[one.source].add(one.target)
    several = [(source, found) for source, found in outputs.items() if len(found) > 1]
    unit, size = UNITS.get(task, ("characters", len))
    seen = {word for one in parts[0] for word in _words(one.source)}
    words = [word for one in parts[1] for word in _words(one.source)]
    has_words = unit == "words" and words
    return LabelledReport(
        examples=len(examples),
        labels=tuple(sorted(labels.items(), key=lambda both: (-both[1], both[0]))),
        twins=_twins(labels),
        repeated=len(examples) - sum(map(len, outputs.values())),
        contradictory=len(several),
        contradictions=tuple(
            (source, tuple(sorted(found))) for source, found in several[:SHOWN]
        ),
        unit=unit,
        inputs=_lengths(size(one.source) for one in examples),
        outputs=_lengths(size(one.target) for one in examples),
        copied=sum(one.source == one.target for one in examples) / len(examples),
        unseen=sum(w not in seen for w in words) / len(words) if has_words else None,
    )


def labels_of(example: Example, task: str) -> list[str]:
    """Return the labels or tags of an example; none if its output is a text."""
    return LABELS[task](example.target) if task in LABELS else []


def _twins(labels: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return groups of labels that look like different spellings of one label."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in sorted(labels):
        plain = unicodedata.normalize("NFKC", label).casefold()
        key = plain.strip().rstrip(MARKS).replace("_", " ").replace("-", " ")
        groups[key or label].append(label)  # a tag can consist of only marks
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _lengths(values: Iterable[int]) -> Lengths:
    lengths = list(values)
    return Lengths(float(median(lengths)), max(lengths))


def _words(text: str) -> list[str]:
    # only blanks separate the words of an example
    return text.split(" ")


LABELS: Final[dict[str, Callable[[str], list[str]]]] = {
    "classify": lambda target: [target],
    "tag": _words,
}
UNITS: Final[dict[str, tuple[str, Callable[[str], int]]]] = {
    "tag": ("words", lambda text: len(_words(text))),
}
