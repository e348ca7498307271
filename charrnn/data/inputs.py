"""Texts to predict outputs for: the lines of a file, or the inputs of labelled data."""

from charrnn.data.examples import read_examples
from charrnn.data.formats import FORMATS, detect
from charrnn.data.formats.base import Example, File, Format, Labelled, shaped
from charrnn.errors import TextError
from charrnn.text.sources import Source


def read_inputs(
    source: Source,
    *,
    task: str = "",
    columns: str = "",
    has_tabs: bool = False,
    raw: bool = False,
) -> Labelled:
    """Return the inputs in a file; their outputs, if it has any, are to be ignored.

    A file of an unknown format, or any file without a `task`, is plain text: each line
    is an input, even if it is empty. The format of the result is then "".

    has_tabs: whether inputs can contain TABs; if so, a file with TABs is plain text
    unless its extension is that of labelled data. raw: plain text may be any bytes.
    """
    if columns or (task and _is_labelled(source, has_tabs=has_tabs)):
        return read_examples(source, task=task, columns=columns)
    lines = "".join(source.text(raw=raw)).split("\n")
    if not lines[-1]:
        lines.pop()
    examples = [
        Example(line.removesuffix("\r"), "", number)
        for number, line in enumerate(lines, 1)
    ]
    return Labelled(examples, task, "", "each line is an input")


def parse_example(text: str, number: int, task: str) -> Example:
    """Return the example in a text: its input, a TAB, and its output.

    Earlier TABs belong to the input. Raises TextError, which gives the text's number.
    """
    source, tab, target = text.rpartition("\t")
    if not (source and not source.isspace() and target and not target.isspace()):
        what = "an input or output is empty" if tab else "it has no TAB"
        raise TextError(
            f"TEXT {number} is not input TAB output: {what}",
            hint="for example: $'Yamamoto\\tJapanese', or -f FILE with labelled data",
        )
    example = Example(source, target, number)
    return shaped(File(f"TEXT {number}", text), [example], task)[0]


def is_by_word(format: str) -> bool:
    """Return whether a format has a line per word, so that inputs take several."""
    found: Format | None = FORMATS[format] if format else None
    return bool(found and found.is_by_word)


def _is_labelled(source: Source, *, has_tabs: bool) -> bool:
    if detect.is_labelled([source]):
        return True
    text = "".join(source.text(raw=True))
    format = detect.detect(source.name, text)
    return bool(format) and not (has_tabs and format == "tsv")
