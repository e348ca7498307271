"""Rows of cells -> examples: which columns are read, for which task, and why."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from charrnn.data.formats import columns as option
from charrnn.data.formats.base import Example, File, Labelled, checked, shaped
from charrnn.errors import TextError

#: Names of columns and JSON keys that hold an input, the likeliest first.
INPUTS: Final = (
    "text", "sentence", "tokens", "words", "source", "src", "input", "utterance",
    "message", "review", "comment", "tweet", "content", "document", "question", "word",
)  # fmt: skip
#: Names of those that hold an output, each with its task if that is certain.
OUTPUTS: Final = {
    "label": "classify", "class": "classify", "category": "classify",
    "sentiment": "classify", "intent": "classify", "tags": "tag", "ner_tags": "tag",
    "pos_tags": "tag", "upos": "tag", "tgt": "translate", "translation": "translate",
    "target": "", "output": "", "labels": "",
}  # fmt: skip

MOST_LABELS: Final = 200
LEAST_ROWS: Final = 20  #: with fewer rows, the task is not guessed
CHOOSE: Final = (
    "choose `task`: classify if one column is a label, translate if both are texts, "
    "tag if both are words, or language to read the file as plain text"
)

Rows = list[tuple[int, list[str]]]  #: each row with its line


@dataclass(frozen=True)
class Choice:
    """Positions of the columns that are read, the task, and why."""

    inputs: tuple[int, ...]
    output: int
    task: str
    reason: str


def read_table(
    file: File, format: str, rows: Rows, task: str, columns: str
) -> Labelled:
    """Return the examples of a table.

    The first row is a header if `columns` or well-known names say so, or if its label
    is the only one that does not occur again.
    """
    if not rows:
        raise TextError(f"{file.name} has no rows", hint="give a file with some")
    width = _width(file, rows)
    given = option.parse(columns) if columns else None
    first = rows[0][1]
    named = names_of(first)
    header = tuple(first) if named or (given and given.has_names) else ()
    body = rows[1:] if header else rows
    if given:
        inputs, output = given.indexes(header, width)
        choice = _with_task(file, body, Choice((*inputs,), output, task, ""))
    elif named:
        choice = Choice(
            (first.index(named[0]),),
            first.index(named[1]),
            task or task_of_names(*named),
            f'the columns are named "{named[0]}" and "{named[1]}"',
        )
        choice = _with_task(file, body, choice)
    else:
        choice = _by_content(file, body, task)
    if not header and choice.task == "classify" and _is_header(body, choice.output):
        header, body = tuple(first), body[1:]
    return _labelled(file, format, body, choice, header)


def names_of(header: Sequence[str]) -> tuple[str, str] | None:
    """Return the names of the input and the output in a header or in JSON keys."""
    by_name = {name.casefold(): name for name in reversed(header)}
    inputs = [by_name[name] for name in INPUTS if name in by_name]
    outputs = [by_name[name] for name in OUTPUTS if name in by_name]
    return (inputs[0], outputs[0]) if inputs and outputs else None


def task_of_names(source: str, target: str) -> str:
    """Return the task that two names stand for, or an empty string."""
    if (source.casefold(), target.casefold()) == ("source", "target"):
        return "translate"
    return OUTPUTS.get(target.casefold(), "")


def task_of_values(name: str, source: str, outputs: Sequence[str]) -> tuple[str, str]:
    """Return the task that the outputs of a file suggest, and why.

    Raises TextError if it is not clear. source: the name of the file.
    """
    counted = f"{name} has {len(set(outputs)):,} different values in "
    counted += f"{len(outputs):,} rows"
    if len(outputs) >= LEAST_ROWS:
        if _are_few(outputs):
            return "classify", counted
        if _are_many(outputs):
            return "translate", counted
    raise TextError(
        f"the task of {source} is not clear: {counted}",
        hint=CHOOSE,
    )


def cells(
    example: Example, columns: str, header: Sequence[str], filler: str = ""
) -> list[str]:
    """Return an example as a row of a table that is laid out like another one."""
    chosen = option.parse(columns or "1,2")
    numbers = [int(c) for c in (*chosen.inputs, chosen.output) if c.isdecimal()]
    inputs, output = chosen.indexes(header, max([len(header), *numbers]))
    row = [filler] * max(len(header), output + 1, *(i + 1 for i in inputs))
    # one input may contain TABs
    parts = example.source.split("\t", len(inputs) - 1)
    for index, part in zip(inputs, parts, strict=True):
        row[index] = part
    row[output] = example.target
    return row


def _width(file: File, rows: Rows) -> int:
    """Return the usual number of columns. Raises TextError for a row of another one."""
    widths = Counter(len(row) for _, row in rows)
    width = widths.most_common(1)[0][0]
    if width < 2:
        raise file.error(
            rows[0][0], "one column, but an input and an output are needed", hint=CHOOSE
        )
    if len(widths) > 1:
        line, row = next((line, row) for line, row in rows if len(row) != width)
        raise file.error(
            line,
            f"{len(row)} columns, but most rows have {width}",
            hint="in CSV, put a text that contains commas or quotes in quotes",
        )
    return width


def _by_content(file: File, rows: Rows, task: str) -> Choice:
    width = len(rows[0][1])
    filled = [sum(not _is_blank(row[i]) for _, row in rows) for i in range(width)]
    used = [index for index in range(width) if 2 * filled[index] >= len(rows)]
    values = [[row[index] for _, row in rows] for index in used]
    if len(used) == 3 and _are_features(values[2]):
        reason = "column 3 holds features of column 1"
        return Choice((used[0], used[2]), used[1], task or "translate", reason)
    if len(used) != 2:
        raise file.error(
            rows[0][0],
            f"{len(used)} columns, and it is not clear which to read",
            hint=option.HINT.replace("give", "set `columns` to", 1),
        )
    in_order = Choice((used[0],), used[1], task, "")
    swapped = Choice((used[1],), used[0], task, "")
    if task:
        return replace(ORDERS.get(task, _first_is_input)(in_order, swapped, *values))
    first, second = values
    if _are_few(first) and len(rows) >= LEAST_ROWS:
        if _are_few(second):
            raise TextError(
                f"the task of {file.name} is not clear: both columns repeat few values",
                hint=CHOOSE,
            )
        return _with_task(file, rows, swapped)
    return _with_task(file, rows, in_order)


def _first_is_input(
    in_order: Choice, swapped: Choice, first: list[str], second: list[str]
) -> Choice:
    return replace(in_order, reason="the task was given")


def _fewer_are_labels(
    in_order: Choice, swapped: Choice, first: list[str], second: list[str]
) -> Choice:
    """Choose the first column as the label if it repeats fewer and shorter values."""
    is_first = 2 * len(set(first)) <= len(set(second)) and median(
        map(len, first)
    ) <= median(map(len, second))
    choice = swapped if is_first else in_order
    label, other = (first, second) if is_first else (second, first)
    reason = f"column {choice.output + 1} has {len(set(label)):,} different values, "
    reason += f"column {choice.inputs[0] + 1} has {len(set(other)):,}"
    return replace(choice, reason=reason)


ORDERS: Final[dict[str, Callable[[Choice, Choice, list[str], list[str]], Choice]]] = {
    "classify": _fewer_are_labels
}


def _with_task(file: File, rows: Rows, choice: Choice) -> Choice:
    """Choose the task from the values of the output, unless it is known."""
    if choice.task:
        return replace(choice, reason=choice.reason or "the task was given")
    outputs = [row[choice.output] for _, row in rows]
    name = f"column {choice.output + 1}"
    task, reason = task_of_values(name, file.name, outputs)
    return replace(choice, task=task, reason=reason)


def _is_header(rows: Rows, output: int) -> bool:
    """Return whether the first row looks like names above labels that all repeat."""
    first = rows[0][1]
    counts = Counter(row[output] for _, row in rows)
    label = first[output]
    others = min((n for value, n in counts.items() if value != label), default=0)
    names = [cell for cell in first if cell]
    return (
        counts[label] == 1
        and others > 1
        and len(names) > 1
        and all(name.replace(" ", "_").isidentifier() for name in names)
    )


def _labelled(
    file: File, format: str, rows: Rows, choice: Choice, header: tuple[str, ...]
) -> Labelled:
    output = choice.output
    examples = [
        Example("\t".join([row[index] for index in choice.inputs]), row[output], line)
        for line, row in rows
    ]
    used = (*choice.inputs, output)
    width = len(rows[0][1]) if rows else 0
    rest = [index for index in range(width) if index not in used]
    spilled = [line for line, row in rows if any(row[i] for i in rest)]
    notes = []
    if spilled and 2 * len(spilled) < len(rows):
        notes.append(
            f"{len(spilled):,} rows have text in columns that are not read, the first "
            f"in line {spilled[0]:,}"
        )
    return Labelled(
        shaped(file, checked(file, examples), choice.task),
        choice.task,
        format,
        choice.reason,
        f"{'+'.join(str(i + 1) for i in choice.inputs)},{output + 1}",
        header,
        tuple(notes),
    )


def _are_few(values: Sequence[str]) -> bool:
    return len(set(values)) <= min(MOST_LABELS, len(values) // 10)


def _are_many(values: Sequence[str]) -> bool:
    return 3 * len(set(values)) >= len(values)


def _are_features(values: Sequence[str]) -> bool:
    """Return whether values look like N;GEN;SG."""
    several = sum(";" in value for value in values)
    return 2 * several > len(values) and not any(" " in value for value in values)


def _is_blank(text: str) -> bool:
    return not text or text.isspace()
