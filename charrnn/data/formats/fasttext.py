"""fastText: one text per line, after its label, as in `__label__x text`."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from charrnn.data.formats.base import (
    Example,
    File,
    Format,
    Labelled,
    checked,
    only,
    unwritable,
)

LABEL: Final = "__label__"
_LINE: Final = re.compile(rf"{LABEL}([^ \t]+)[ \t]?(.*)", re.DOTALL)


def _read(file: File, task: str, columns: str) -> Labelled:
    """Return the examples. A line with several labels is an error."""
    certain = only("fasttext", "classify", task, columns)
    examples = []
    for number, line in file.filled_lines():
        found = _LINE.match(line)
        if not found:
            raise file.error(
                number,
                f"expected {LABEL}x text, but the line does not begin with a label",
                hint=f"label every line, or drop the lines without {LABEL}",
            )
        label, text = found.groups()
        if text.lstrip().startswith(LABEL):
            raise file.error(
                number,
                "there are several labels, but a classifier predicts only one",
                hint=f"keep one label, or join them to one, such as {LABEL}a+b",
            )
        examples.append(Example(text, label, number))
    checked(file, examples)
    return Labelled(examples, certain, "fasttext", f"lines begin with {LABEL}")


def _write(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    for example in examples:
        line = f"{LABEL}{example.target} {example.source}"
        found = _LINE.match(line)
        is_same = found and found.groups() == (example.target, example.source)
        is_same = is_same and not example.source.lstrip().startswith(LABEL)
        if not is_same or any(mark in line for mark in "\n\r"):
            raise unwritable(
                example, "fasttext", "a blank in the label, or a line end in the text"
            )
        yield line + "\n"


FASTTEXT: Final = Format(_read, _write)
