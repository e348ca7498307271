"""Convert rows of cells to examples and back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from charrnn.data.formats import columns as option
from charrnn.data.formats import guessing
from charrnn.data.formats.base import (
    Example,
    File,
    Labelled,
    checked,
    shaped,
    split_inputs,
)

Row = tuple[int, list[str]]  #: a row with its line number
Rows = list[Row]


@dataclass(frozen=True)
class Choice:
    """The task, the positions of the columns to read, and the reason for both."""

    inputs: tuple[int, ...]
    output: int
    task: str
    reason: str = ""


def read_table(
    file: File, format: str, rows: Rows, task: str, columns: str
) -> Labelled:
    """Return the examples of a table.

    The first row is a header if `columns` has names, if it contains well-known names,
    if it is the header of a file read before, or if its label is the only one that
    occurs just once.
    """
    if not rows:
        checked(file, [])
    width = _width(file, rows)
    given = option.parse(columns) if columns else None
    first = tuple(rows[0][1])
    named = None if given else guessing.names_of(first)
    has_names = named or (given and given.has_names) or guessing.names_of(first)
    header = first if has_names or first == file.header else ()

    def choose(rows: Rows) -> Choice:
        if not rows:
            checked(file, [])
        if given:
            inputs, output = given.indexes(header, width)
            choice = Choice((*inputs,), output, task)
        elif named:
            inputs, output = [first.index(named[0])], first.index(named[1])
            reason = f'the columns are named "{named[0]}" and "{named[1]}"'
            known = task or guessing.task_of_names(*named)
            choice = Choice((*inputs,), output, known, reason)
        else:
            choice = _by_values(file, rows, task)
        return _complete(file, rows, choice)

    notes: list[str] = []
    body = rows[1:] if header else rows
    choice = choose(body)
    if not header and _is_header(body, choice.output):
        header, body = first, body[1:]
        choice = choose(body)
        notes.append(f"the first row is a header: {', '.join(filter(None, first))}")
    return _labelled(file, format, body, choice, header, notes)


def cells(
    example: Example, columns: str, header: Sequence[str], filler: str = ""
) -> list[str]:
    """Return an example as a row of a table with this layout."""
    chosen = option.parse(columns or "1,2")
    names = [*chosen.inputs, chosen.output]
    numbers = [int(name) for name in names if name.isdecimal()]
    inputs, output = chosen.indexes(header, max([len(header), *numbers]))
    row = [filler] * max(len(header), *(index + 1 for index in (*inputs, output)))
    for index, text in zip(inputs, split_inputs(example, len(inputs)), strict=True):
        row[index] = text
    row[output] = example.target
    return row


def _width(file: File, rows: Rows) -> int:
    """Return the number of columns. Raises TextError for a row with more or fewer."""
    widths = Counter(len(row) for _, row in rows)
    width = widths.most_common(1)[0][0]
    if width < 2:
        raise file.error(
            rows[0][0],
            "there is one column, but an input and an output are needed",
            hint=guessing.CHOOSE,
        )
    if len(widths) > 1:
        line, row = next((line, row) for line, row in rows if len(row) != width)
        raise file.error(
            line,
            f"{len(row)} column{'s' * (len(row) > 1)}, but most rows have {width}",
            hint="in CSV, put a text that contains commas or quotes in quotes",
        )
    return width


def _by_values(file: File, rows: Rows, task: str) -> Choice:
    """Choose the columns, and if possible the task, by the values in the columns."""
    width = len(rows[0][1])
    filled = [sum(not _is_blank(row[i]) for _, row in rows) for i in range(width)]
    used = [i for i in range(width) if width == 2 or 2 * filled[i] >= len(rows)]
    values = [[row[index] for _, row in rows] for index in used]
    if len(used) == 3 and guessing.are_features(values[2]):
        word, _, features = (index + 1 for index in used)
        reason = f"column {features} contains features of column {word}"
        return Choice((used[0], used[2]), used[1], task or "translate", reason)
    if len(used) != 2:
        raise file.error(
            rows[0][0],
            f"it is not clear which of the {len(used)} columns are input and output",
            hint=option.HINT,
        )
    if not task and all(map(guessing.are_few, values)):
        raise guessing.unclear(file.name, "both columns repeat a few values")
    if guessing.is_label_first(task, *values):
        why = f"column {used[0] + 1}, with {guessing.counted(values[0])}, is the label"
        return Choice((used[1],), used[0], "classify", why)
    return Choice((used[0],), used[1], task)


def _complete(file: File, rows: Rows, choice: Choice) -> Choice:
    """Fill in the task and the reason from the values of the output."""
    outputs = [row[choice.output] for _, row in rows]
    task = choice.task or guessing.task_of_values(file.name, outputs)
    reason = f"column {choice.output + 1} has {guessing.counted(outputs)}"
    return replace(choice, task=task, reason=choice.reason or reason)


def _is_header(rows: Rows, output: int) -> bool:
    """Return whether the first row looks like names above labels that all repeat."""
    first, others = rows[0][1], [row for _, row in rows[1:]]
    outputs = [row[output] for row in others]
    names = [cell for cell in first if cell]
    return (
        min(Counter(outputs).values(), default=0) > 1
        and guessing.are_few(outputs)
        and first[output].casefold() not in {label.casefold() for label in outputs}
        and len(names) > 1
        and all(name.replace(" ", "_").isidentifier() for name in names)
        and not any(
            cell and cell == other
            for row in others
            for cell, other in zip(first, row, strict=True)
        )
    )


def _labelled(
    file: File,
    format: str,
    rows: Rows,
    choice: Choice,
    header: tuple[str, ...],
    notes: list[str],
) -> Labelled:
    output = choice.output
    examples = [
        Example("\t".join([row[index] for index in choice.inputs]), row[output], line)
        for line, row in rows
    ]
    others = set(range(len(rows[0][1]))) - {*choice.inputs, output}
    spilled = [line for line, row in rows if any(row[index] for index in others)]
    if spilled and 2 * len(spilled) < len(rows):
        notes.append(
            f"{len(spilled):,} row{'s' * (len(spilled) > 1)} with text in unused "
            f"columns, first in line {spilled[0]:,}"
        )
    return Labelled(
        shaped(file, checked(file, examples), choice.task),
        choice.task,
        format,
        choice.reason,
        f"{'+'.join(str(index + 1) for index in choice.inputs)},{output + 1}",
        header,
        tuple(notes),
    )


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
