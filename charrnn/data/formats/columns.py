"""The option `columns`: which columns hold the input and the output."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from charrnn.errors import UsageError

HINT = (
    'set `columns` to INPUT,OUTPUT, such as 1,2 or "text,label"; join several inputs '
    "with +, such as 1+3,2"
)


@dataclass(frozen=True)
class Columns:
    """The columns of the inputs and the output, by name or number, counted from 1."""

    inputs: tuple[str, ...]
    output: str

    def __str__(self) -> str:
        return f"{'+'.join(self.inputs)},{self.output}"

    @property
    def has_names(self) -> bool:
        """Whether a column is given by its name."""
        return not all(map(str.isdecimal, (*self.inputs, self.output)))

    def indexes(self, header: Sequence[str], width: int) -> tuple[list[int], int]:
        """Return the positions of the inputs and the output, counted from 0."""
        *inputs, output = (
            _index(column, header, width) for column in (*self.inputs, self.output)
        )
        return inputs, output


@cache  # called for every row that is written
def parse(columns: str, *, default_input: str = "") -> Columns:
    """Parse the value of `columns`. Raises UsageError.

    default_input: the input column to use if only the output is given.
    """
    *before, output = (part.strip() for part in columns.split(","))
    if not before and default_input:
        before = [default_input]
    inputs = tuple(part.strip() for part in "".join(before).split("+"))
    if len(before) != 1 or not all((*inputs, output)):
        raise UsageError(
            f'`columns` "{columns}" does not name an input and an output', hint=HINT
        )
    return Columns(inputs, output)


def _index(column: str, header: Sequence[str], width: int) -> int:
    if column.isdecimal():
        if 1 <= int(column) <= width:
            return int(column) - 1
        raise UsageError(
            f"`columns` names column {column}, but the file has {width} columns",
            hint=HINT,
        )
    if column in header:
        return header.index(column)
    names = ", ".join(filter(None, header))
    raise UsageError(
        f'no column is named "{column}"; the columns are named: {names}', hint=HINT
    )
