"""Two files, line by line: line n of the second is the output for line n of the first.

Only the second file is written.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from charrnn.data.formats.base import (
    Example,
    File,
    Format,
    Labelled,
    checked,
    only,
    shaped,
    unwritable,
)
from charrnn.errors import TextError


def _read(file: File, task: str, columns: str) -> Labelled:
    if file.second is None:
        raise ValueError("parallel data needs two files")
    task = only("parallel", task, task, columns) or "translate"
    sides = [_lines(file), _lines(file.second)]
    if len(sides[0]) != len(sides[1]):
        raise TextError(
            f"{file.name} has {len(sides[0]):,} lines, but {file.second.name} has "
            f"{len(sides[1]):,}",
            hint="line n of one file must belong to line n of the other",
        )
    examples = [
        Example(source, target, number)
        for number, (source, target) in enumerate(zip(*sides, strict=True), 1)
        if source or target  # lines that are blank in both files are skipped
    ]
    checked(file, examples)
    reason = f"line n of {file.second.name} belongs to line n of {file.name}"
    return Labelled(shaped(file, examples, task), task, "parallel", reason)


def _lines(file: File) -> list[str]:
    lines = [line for _, line in file.lines()]
    return lines if lines[-1] else lines[:-1]  # no line follows the last line end


def _write(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    for example in examples:
        if "\n" in example.target or example.target.endswith("\r"):
            raise unwritable(example, "parallel", "a line end is inside a text")
        yield example.target + "\n"


PARALLEL: Final = Format(_read, _write)
