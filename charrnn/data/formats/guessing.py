"""Guess columns and task from the names of columns and from the values in them."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from charrnn.errors import TextError

#: Names of columns and JSON keys that contain an input; the first one found is used.
INPUTS: Final = (
    "text", "sentence", "tokens", "words", "source", "src", "input", "utterance",
    "message", "review", "comment", "tweet", "content", "document", "question", "word",
)  # fmt: skip
#: Names of columns and JSON keys that contain an output, with the task if it is clear.
OUTPUTS: Final = {
    "label": "classify", "class": "classify", "category": "classify",
    "sentiment": "classify", "intent": "classify", "tags": "tag", "ner_tags": "tag",
    "pos_tags": "tag", "upos": "tag", "tgt": "translate", "translation": "translate",
    "target": "", "output": "", "labels": "",
}  # fmt: skip

MOST_LABELS: Final = 200
LEAST_ROWS: Final = 20  #: with fewer rows, the task must be given
CHOOSE: Final = (
    "set `task`: classify if the output is a label, translate if it is a text, tag if "
    "it has one tag per word, or language to read the file as plain text"
)


def names_of(header: Sequence[str]) -> tuple[str, str] | None:
    """Return the names of input and output among column names or JSON keys."""
    by_name = {name.casefold(): name for name in reversed(header)}
    inputs = [by_name[name] for name in INPUTS if name in by_name]
    outputs = [by_name[name] for name in OUTPUTS if name in by_name]
    return (inputs[0], outputs[0]) if inputs and outputs else None


def task_of_names(source: str, target: str) -> str:
    """Return the task that the names of input and output imply, if any."""
    if (source.casefold(), target.casefold()) == ("source", "target"):
        return "translate"
    return OUTPUTS.get(target.casefold(), "")


def task_of_values(file: str, outputs: Sequence[str]) -> str:
    """Return the task that the outputs of a file suggest.

    Outputs are labels if few of them are different, and translations if many are.
    Raises TextError if neither is clear, or if there are fewer than 20 rows.
    """
    if len(outputs) >= LEAST_ROWS and are_few(outputs):
        return "classify"
    if len(outputs) >= LEAST_ROWS and 3 * len(set(outputs)) >= len(outputs):
        return "translate"
    raise unclear(file, f"the output has {counted(outputs)}")


def unclear(file: str, why: str) -> TextError:
    """Return the error for a task that the user has to choose."""
    return TextError(f"the task of {file} is not clear: {why}", hint=CHOOSE)


def counted(values: Sequence[str]) -> str:
    """Describe how many different values there are."""
    return f"{len(set(values)):,} different values in {len(values):,} rows"


def is_label_first(task: str, first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether the first of two columns contains the labels of the second.

    It does if its values are shorter and fewer; unless the task is known, they must
    also repeat like labels.
    """
    return task in _LABEL_FIRST and _LABEL_FIRST[task](first, second)


def are_few(values: Sequence[str]) -> bool:
    """Return whether values repeat like labels: ten times each, on average."""
    return len(set(values)) <= min(MOST_LABELS, len(values) // 10)


def are_features(values: Sequence[str]) -> bool:
    """Return whether values look like lists of features, such as N;GEN;SG."""
    several = sum(";" in value for value in values)
    return 2 * several > len(values) and not any(" " in value for value in values)


def _is_fewer(first: Sequence[str], second: Sequence[str]) -> bool:
    is_fewer = 2 * len(set(first)) <= len(set(second))
    return is_fewer and median(map(len, first)) <= median(map(len, second))


_LABEL_FIRST: Final[dict[str, Callable[[Sequence[str], Sequence[str]], bool]]] = {
    "classify": _is_fewer,
    "": lambda first, second: are_few(first) and _is_fewer(first, second),
}
