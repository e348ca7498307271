"""Examples for a trained model: labelled data, or inputs without outputs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from charrnn.data.examples import read_examples
from charrnn.data.formats import FORMATS, detect
from charrnn.data.formats.base import Example, File, Format, Labelled, shaped
from charrnn.errors import TextError, UsageError
from charrnn.storage.records import ModelSummary
from charrnn.text.sources import Source


@dataclass(frozen=True)
class Reading:
    """How to read the data for a model.

    task: "" for a model of plain text. columns: "" to choose them automatically. like:
    the layout of the training data, which is used if a file has the same header.
    has_tabs: whether inputs can contain TABs. raw: whether inputs can be any bytes.
    """

    task: str = ""
    columns: str = ""
    like: Labelled | None = None
    has_tabs: bool = False
    raw: bool = False

    @classmethod
    def of(cls, summary: ModelSummary, columns: str, **settings: Any) -> Self:
        """Return how to read labelled data for a model with this summary."""
        layout = summary.corpus.layout if summary.corpus else None
        like = None
        if layout:
            form, header = layout["format"], tuple(layout["header"])
            like = Labelled([], summary.task, form, "", layout["columns"], header)
        return cls(summary.task, columns, like, **settings)

    def examples(
        self, sources: Sequence[Source], *, unlabelled: bool = False
    ) -> Labelled:
        """Return labelled data. unlabelled: see `read_examples`."""
        how: dict[str, Any] = {"unlabelled": unlabelled}
        if self.like and not self.columns:
            with suppress(TextError, UsageError):
                found = read_examples(sources, like=self.like, **how)
                if found.header == self.like.header:
                    return found
        return read_examples(sources, task=self.task, columns=self.columns, **how)

    def inputs(self, sources: Sequence[Source]) -> list[Labelled]:
        """Return the inputs in files; the outputs in the result are arbitrary.

        A file in no known format is plain text: each line is an input, even if it is
        empty, and the format of the result is "". A file with TABs is also plain text
        if inputs can contain TABs and its extension is not that of labelled data.
        """
        if self.task and detect.are_languages([one.name for one in sources]):
            return [self.examples(sources)]
        return [self._inputs(source) for source in sources]

    def _inputs(self, source: Source) -> Labelled:
        if self.columns or (self.task and self._is_labelled(source)):
            return self.examples([source], unlabelled=True)
        lines = "".join(source.text(raw=self.raw)).split("\n")
        if not lines[-1]:
            lines.pop()
        examples = [
            Example(line.removesuffix("\r"), "", number)
            for number, line in enumerate(lines, 1)
        ]
        return Labelled(examples, self.task, "", "each line is an input")

    def _is_labelled(self, source: Source) -> bool:
        if detect.is_labelled([source]):
            return True
        text = "".join(source.text(raw=True))
        format = detect.detect(source.name, text, self.task)
        return bool(format) and not (self.has_tabs and format == "tsv")


def parse_example(text: str, number: int, task: str) -> Example:
    """Return the example in a text: its input, a TAB, and its output.

    Earlier TABs belong to the input. Raises TextError with the number of the text.
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
    """Return whether a format has one word per line, so an input spans several."""
    found: Format | None = FORMATS[format] if format else None
    return bool(found and found.is_by_word)
