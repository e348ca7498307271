"""JSON Lines: one object per line, such as {"text": ..., "label": ...}.

A value can be a list of words. Its name in `columns` then ends in []: tokens[],tags[].
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from charrnn.data.formats import columns as option
from charrnn.data.formats.base import (
    Example,
    File,
    Format,
    Labelled,
    checked,
    joined,
    shaped,
    split_inputs,
    split_words,
)
from charrnn.data.formats.guessing import (
    counted,
    names_of,
    task_of_names,
    task_of_values,
)

LIST: Final = "[]"
DEFAULT: Final = "text,label"


def _read(file: File, task: str, columns: str) -> Labelled:
    records = [
        (number, _record(file, number, line)) for number, line in file.filled_lines()
    ]
    names = [*records[0][1]] if records else []
    found = None if columns else names_of(names)
    if records and not columns and not found:
        raise file.error(
            records[0][0],
            f"it is not clear which keys have input and output: {', '.join(names)}",
            hint='name them with `columns`, such as "text,label"',
        )
    chosen = option.parse(columns or ",".join(found or DEFAULT.split(",")))
    inputs = [name.removesuffix(LIST) for name in chosen.inputs]
    output = chosen.output.removesuffix(LIST)
    examples = [
        Example(
            "\t".join([_text(file, number, record, name) for name in inputs]),
            _text(file, number, record, output),
            number,
        )
        for number, record in records
    ]
    checked(file, examples)
    first = records[0][1]
    are_lists = isinstance(first[output], list)
    certain = "tag" if are_lists else task_of_names(inputs[0], output)
    reason = f'the keys are "{"+".join(inputs)}" and "{output}"'
    if not (task or certain):
        outputs = [example.target for example in examples]
        certain = task_of_values(file.name, outputs)
        reason = f'"{output}" has {counted(outputs)}'
    marked = [name + LIST * isinstance(first[name], list) for name in inputs]
    return Labelled(
        shaped(file, examples, task or certain),
        task or certain,
        "jsonl",
        reason,
        f"{'+'.join(marked)},{output}{LIST * are_lists}",
    )


def _record(file: File, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise file.error(
            number, f"this is not JSON: {error}", hint="put one object on each line"
        ) from error
    if not isinstance(record, dict):
        raise file.error(
            number,
            "expected an object, such as {...}",
            hint="put one object on each line",
        )
    return record


def _text(file: File, number: int, record: dict[str, Any], name: str) -> str:
    """Return a value as text: a string, a number, or a list of words."""
    if name not in record:
        raise file.error(
            number,
            f'no "{name}", only {", ".join(record) or "an empty object"}',
            hint='set `columns` to keys that every line has, such as "text,label"',
        )
    value = record[name]
    if isinstance(value, list):
        words = [_scalar(file, number, name, word) for word in value]
        if not all(words):
            raise file.error(number, f'"{name}" has an empty word', hint="remove it")
        return joined(words)
    return _scalar(file, number, name, value)


def _scalar(file: File, number: int, name: str, value: Any) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise file.error(
                number,
                f'"{name}" contains half of a surrogate pair',
                hint="write the character itself, in UTF-8",
            ) from error
        return value
    if isinstance(value, int | float):  # including True and False
        return json.dumps(value)
    raise file.error(
        number, f'"{name}" is neither a text nor a number', hint="use a text"
    )


def _write(
    examples: Iterable[Example], columns: str, header: tuple[str, ...]
) -> Iterator[str]:
    chosen = option.parse(columns or DEFAULT)
    for example in examples:
        inputs = split_inputs(example, len(chosen.inputs))
        sides = [*zip(chosen.inputs, inputs, strict=True)]
        record = {
            name.removesuffix(LIST): split_words(text) if name.endswith(LIST) else text
            for name, text in (*sides, (chosen.output, example.target))
        }
        yield json.dumps(record, ensure_ascii=False) + "\n"


JSONL: Final = Format(_read, _write)
