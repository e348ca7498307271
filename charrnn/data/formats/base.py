"""Examples, formats, and helpers that all formats share."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from charrnn.errors import TextError, UsageError

#: Replaces a blank inside a word, because blanks separate the words of an example.
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Example:
    """An input with its output, and the number of the line where it starts.

    classify    source is any text, target is its label
    tag         source is words and target is their tags, separated by single blanks
    translate   source and target are texts

    Inputs joined from several columns are separated by TABs.
    """

    source: str
    target: str
    line: int = 0


@dataclass(frozen=True)
class Labelled:
    """The examples of a file, and how it was read.

    reason: why this task and these columns were chosen, as a phrase. columns, header:
    the layout of the file, for reading or writing another one in the same way. notes:
    what the user may want to check.
    """

    examples: list[Example]
    task: str
    format: str
    reason: str
    columns: str = ""
    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """The name and the decoded text of a file.

    second: the file with the outputs, if this one has only inputs. header: the expected
    header, from a file that was read before.
    """

    name: str
    text: str
    second: "File | None" = None
    header: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[int, str]]:
        r"""Yield each line with its number. Only \n and \r\n end a line."""
        for number, line in enumerate(self.text.split("\n"), 1):
            yield number, line.removesuffix("\r")

    def filled_lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that are not blank, with their numbers."""
        found = self.lines()
        return ((n, line) for n, line in found if line and not line.isspace())

    def error(self, line: int, what: str, *, hint: str = "") -> TextError:
        """Return an error that names the file and the line."""
        return TextError(f"{self.name}, line {line:,}: {what}", hint=hint)


@dataclass(frozen=True)
class Format:
    """How to read and write a kind of file.

    read: takes a file and the options `task` and `columns`, which may be empty.
    write: takes examples, columns and header, and yields pieces of text. It raises
    TextError if the format cannot represent an example.
    is_old: whether a file that is not UTF-8 is read as Windows-1252 or Latin-1.
    is_by_word: whether each word is on a line of its own.
    """

    read: Callable[[File, str, str], Labelled]
    write: Callable[[Iterable[Example], str, tuple[str, ...]], Iterator[str]]
    is_old: bool = False
    is_by_word: bool = False


def only(format: str, certain: str, task: str, columns: str = "") -> str:
    """Return the only task of a format. Raises UsageError for any other task.

    columns: the value of the option, which must be empty: there is nothing to choose.
    """
    if task not in ("", certain):
        raise UsageError(
            f"`task` is {task}, but the {format} format is only for {certain}",
            hint="omit `task`, or write the data as input TAB output",
        )
    if columns:
        raise UsageError(
            f"the {format} format does not support `columns` {columns}",
            hint="omit it: the format determines the input and the output",
        )
    return certain


def checked(file: File, examples: list[Example]) -> list[Example]:
    """Return the examples. Raises TextError if there are none or if a text is empty."""
    if not examples:
        raise TextError(
            f"{file.name} contains no examples",
            hint="each example needs an input and an output",
        )
    for example in examples:
        for side, text in (("input", example.source), ("output", example.target)):
            if not text or text.isspace():
                raise file.error(
                    example.line,
                    f"the {side} is empty",
                    hint="complete the example or remove it",
                )
    return examples


def words(text: str) -> list[str]:
    """Return the words of a text; only blanks separate words."""
    return [word for word in text.split(" ") if word]


def counted(items: Sequence[str], noun: str) -> str:
    """Return a number of items, such as "1 word" or "2 words"."""
    return f"{len(items):,} {noun}{'s' * (len(items) != 1)}"


def joined(words: Iterable[str]) -> str:
    """Return words as a text; a blank inside a word becomes a no-break space."""
    return " ".join([word.replace(" ", NO_BREAK_SPACE) for word in words])


def split_words(text: str) -> list[str]:
    """Undo `joined`: return the words of a text, with blanks restored."""
    return [word.replace(NO_BREAK_SPACE, " ") for word in text.split(" ")]


def check_tag(file: File, line: int, tag: str) -> None:
    """Raise TextError for a tag that consists of several symbols."""
    if any(mark in tag for mark in "\t\n\r\v\f"):
        raise file.error(
            line,
            f"the tag {tag!r} contains white space other than blanks",
            hint="write each tag as one word",
        )


def shaped(file: File, examples: list[Example], task: str) -> list[Example]:
    """Return the examples in the form that a task needs. Raises TextError."""
    return [SHAPES[task](file, one) for one in examples] if task in SHAPES else examples


def _paired(file: File, example: Example) -> Example:
    source, target = words(example.source), words(example.target)
    if len(source) != len(target):
        raise file.error(
            example.line,
            f"{counted(source, 'word')}, but {counted(target, 'tag')}",
            hint="give one tag per word, separated by single blanks",
        )
    for tag in target:
        check_tag(file, example.line, tag)
    return Example(" ".join(source), " ".join(target), example.line)


SHAPES: Final[dict[str, Callable[[File, Example], Example]]] = {"tag": _paired}


def split_inputs(example: Example, count: int) -> list[str]:
    """Split joined inputs at TABs; if there is only one, it may contain TABs."""
    inputs = example.source.split("\t", count - 1)
    if len(inputs) < count:
        raise TextError(
            f"line {example.line:,} has {len(inputs)} inputs instead of {count}",
            hint="separate the inputs with TABs",
        )
    return inputs


def unwritable(example: Example, format: str, what: str) -> TextError:
    """Return the error for an example that a format cannot represent."""
    return TextError(
        f"line {example.line:,} cannot be written as {format}: {what}",
        hint="write JSON Lines instead, which can represent any text",
    )
