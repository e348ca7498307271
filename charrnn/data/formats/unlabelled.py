"""Complete files whose outputs are missing, so that they can be read as labelled data.

A column of inputs gets a column of outputs, a row or an object without a label gets a
label, and a word without a tag gets a tag:

    hello                   hello<TAB>_
    {"text": "hello"}       {"text": "hello", "label": "_"}
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any, Final

from charrnn.data.formats import columns as option
from charrnn.data.formats.base import File
from charrnn.data.formats.conll import EMPTY, FIELDS, NEEDED
from charrnn.data.formats.guessing import INPUTS, names_of
from charrnn.data.formats.jsonl import DEFAULT, LIST
from charrnn.data.formats.separated import csv_table

FILLER: Final = "_"
TAG: Final = "X"  #: placeholder in CoNLL-U, where _ would mean a missing tag
LABEL: Final = DEFAULT.split(",")[1]
TAGS: Final = "tags"  #: the key of the output if the input is a list of words


def completed(file: File, format: str, columns: str) -> File:
    """Return a file in which every input has some output.

    columns: the columns to read, or "" to guess them.
    """
    complete = COMPLETE.get(format)
    return replace(file, text=complete(file, columns)) if complete else file


def _tsv(file: File, columns: str) -> str:
    rows = [line.split("\t") for _, line in file.lines()]
    return "\n".join(["\t".join(row) for row in _rows(rows, columns)])


def _csv(file: File, columns: str) -> str:
    held = StringIO(newline="")
    rows = [row for _, row in csv_table(file)]
    csv.writer(held).writerows(_rows(rows, columns))
    return held.getvalue()


def _rows(rows: list[list[str]], columns: str) -> list[list[str]]:
    """Return rows that all have an output, in a new last column if necessary."""
    header = next((row for row in rows if any(row)), [""])
    has_input = any(name.casefold() in INPUTS for name in header)
    output = _output(header, columns)
    if len(header) == 1 or (output is None and has_input):
        return [
            [*row, LABEL if has_input and row is header else FILLER]
            if any(row)
            else row
            for row in rows
        ]
    index = len(header) - 1 if output is None else output
    for row in rows:
        if any(row) and len(row) > index and not row[index].strip():
            row[index] = FILLER
    return rows


def _output(header: Sequence[str], columns: str) -> int | None:
    """Return the position of the output in a row, or None if unknown."""
    found = names_of(header)
    name = option.parse(columns).output if columns else found[1] if found else ""
    if name.isdecimal():
        return int(name) - 1 if int(name) <= len(header) else None
    return header.index(name) if name in header else None


def _jsonl(file: File, columns: str) -> str:
    lines = []
    for _, line in file.lines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        is_object = isinstance(record, dict)
        lines.append(json.dumps(_object(record, columns)) if is_object else line)
    return "\n".join(lines)


def _object(record: dict[str, Any], columns: str) -> dict[str, Any]:
    """Return an object with an output; a list of words gets a list of tags."""
    words = next((value for value in record.values() if isinstance(value, list)), None)
    found = names_of([*record])
    name = TAGS if words else LABEL
    if columns or found:
        name = option.parse(columns).output if columns else found[1] if found else name
    name = name.removesuffix(LIST)
    filler = [FILLER] * len(words) if words else FILLER
    return record | {name: record.get(name) or filler}


def _conll(file: File, columns: str) -> str:
    lines = file.text.split("\n")
    if any(mark in line.strip() for line in lines for mark in " \t"):
        return file.text
    return "\n".join(
        [f"{line.strip()}\t{FILLER}" if line.strip() else "" for line in lines]
    )


def _conllu(file: File, columns: str) -> str:
    lines = []
    for line in file.text.split("\n"):
        row = line.split("\t")
        if len(row) == len(FIELDS):
            for index in NEEDED:
                row[index] = TAG if row[index] == EMPTY else row[index]
        lines.append("\t".join(row))
    return "\n".join(lines)


COMPLETE: Final[dict[str, Callable[[File, str], str]]] = {
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "conll": _conll,
    "conllu": _conllu,
}
