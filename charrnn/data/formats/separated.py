"""TSV (input TAB output, without quotes) and CSV (RFC 4180, with , or ; or TAB)."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import Final

from charrnn.data.formats.base import Example, File, Format, Labelled, unwritable
from charrnn.data.formats.guessing import CHOOSE
from charrnn.data.formats.table import Rows, cells, read_table
from charrnn.errors import TextError

DELIMITERS: Final = ",;\t"
END: Final = "end"  #: a row of its own, unless a quote is still open


def _read_tsv(file: File, task: str, columns: str) -> Labelled:
    rows: Rows = []
    for number, line in file.filled_lines():
        if "\t" not in line:
            hint = CHOOSE if number == 1 else "separate input and output with a TAB"
            raise file.error(
                number, "expected input TAB output, but there is no TAB", hint=hint
            )
        rows.append((number, line.split("\t")))
    return read_table(file, "tsv", rows, task, columns)


def _write_tsv(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    if header:
        yield "\t".join(header) + "\n"
    for example in examples:
        row = cells(example, columns, header)
        if any(mark in cell for cell in row for mark in "\t\n\r"):
            raise unwritable(example, "tsv", "a TAB or line end is inside a text")
        yield "\t".join(row) + "\n"


def _read_csv(file: File, task: str, columns: str) -> Labelled:
    return read_table(file, "csv", csv_table(file), task, columns)


def csv_table(file: File) -> Rows:
    """Return the rows of a CSV file; guess the separator."""
    delimiter = max(DELIMITERS, key=lambda one: _evenness(file, one))
    return _csv_rows(file, delimiter)


def _evenness(file: File, delimiter: str) -> int:
    """Return how many rows have the most common number of columns, not counting 1."""
    try:
        widths = Counter(len(row) for _, row in _csv_rows(file, delimiter))
    except TextError:
        return 0
    return max((n for width, n in widths.items() if width > 1), default=0)


def _csv_rows(file: File, delimiter: str) -> Rows:
    hint = "close every quote, and double any quote inside quotes"
    # texts may be longer than the limit, which is 131,072 by default
    csv.field_size_limit(max(csv.field_size_limit(), len(file.text) + len(END)))
    lines = chain(StringIO(file.text, newline=""), [END])
    reader = csv.reader(lines, delimiter=delimiter)
    rows: Rows = []
    line = 1
    try:
        for row in reader:
            if any(row):
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise file.error(line, f"this is not CSV: {error}", hint=hint) from error
    last, end = rows.pop()
    if end != [END]:
        raise file.error(last, "a quote is opened, but never closed", hint=hint)
    return rows


def _write_csv(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    if header:
        yield _csv_line(header)
    for example in examples:
        yield _csv_line(cells(example, columns, header))


def _csv_line(row: Iterable[str]) -> str:
    held = StringIO(newline="")
    csv.writer(held).writerow(row)
    return held.getvalue()


TSV: Final = Format(_read_tsv, _write_tsv)
CSV: Final = Format(_read_csv, _write_csv, is_old=True)
