"""The report of `charrnn tokenize` on labelled data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.cli.tokenize.report import (
    COLUMNS,
    Report,
    counted,
    set_characters,
    set_tokens,
)
from charrnn.cli.train.lines import excerpt
from charrnn.tasks import DEFAULT_TASK, TASKS
from charrnn.tokenizers.config import TokenizerConfig

if TYPE_CHECKING:
    from charrnn.data.examples import Labelled
    from charrnn.data.formats.report import LabelledReport, Lengths
    from charrnn.text.sources import Source
    from charrnn.tokenizers.base import Tokenizer

FIRST: Final = 3  #: examples that are shown
LABEL_LINES: Final = 6  #: lines that list labels
ARROW: Final = " -> "
OR: Final = " or "
UNUSED: Final = ("line ends", "invalid bytes")  #: rows that only plain text has
BLOCK: Final = 4096  #: examples that are encoded at once


@dataclass
class LabelledSurvey:
    """Counts of labelled data, and of the tokens in its inputs.

    invalid: always 0, because invalid bytes in labelled data are an error.
    """

    labelled: "Labelled"
    counts: "LabelledReport"
    inputs: Report
    output: "Tokenizer"
    invalid: int = 0

    @property
    def tokenizer(self) -> "Tokenizer":
        """The tokenizer of the inputs."""
        return self.inputs.tokenizer

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; counts of text refer to the inputs."""
        how = {
            name: getattr(self.labelled, name)
            for name in ("task", "format", "reason", "columns", "notes")
        }
        return self.inputs.to_json() | {"labelled": how | self.counts.to_json()}

    def lines(self) -> Iterator[str]:
        """Yield the report as lines for people to read."""
        of_inputs = [row for row in self.inputs.rows() if row[0] not in UNUSED]
        rows = [*self._rows(), ("", ""), ("inputs", ""), *of_inputs]
        yield from (f"{name:<16} {value}".rstrip() for name, value in rows)

    def _rows(self) -> Iterator[tuple[str, str]]:
        labelled, counts = self.labelled, self.counts
        yield "task", labelled.task
        yield "because", labelled.reason
        columns = f", columns {labelled.columns}" if labelled.columns else ""
        yield "format", f"{labelled.format}{columns}"
        repeated = f", {counts.repeated:,} repeated" if counts.repeated else ""
        yield "examples", f"{counts.examples:,}{repeated}"
        for one in labelled.examples[:FIRST]:
            yield "", _pair(one.source, (one.target,))
        if counts.labels:
            yield "labels", f"{len(counts.labels):,}"
            lines = counted(counts.labels)
            yield from (("", line) for line in lines[:LABEL_LINES])
            if len(lines) > LABEL_LINES:
                yield "rare labels", counted(counts.labels[::-1])[0]
        for twins in counts.twins:
            yield "similar labels", "  ".join(map(console.quoted, twins))
        if counts.contradictory:
            several = console.plural(counts.contradictory, "input")
            yield "contradictions", f"{several} with several outputs"
            for source, outputs in counts.contradictions:
                yield "", _pair(source, outputs)
        yield "input length", _length(counts.inputs, counts.unit)
        if not counts.labels:
            yield "output length", _length(counts.outputs, counts.unit)
            level = f"{self.output.vocab_size:,} at {self.output.level} level"
            yield "output tokens", level
        if counts.copied:
            yield "copied", f"{counts.copied:.1%} of the outputs equal their inputs"
        if counts.unseen is not None:
            yield (
                "unseen words",
                f"{counts.unseen:.1%} of the words of a held-out tenth",
            )
        for note in labelled.notes:
            yield "note", note


#: the report on plain text or labelled data
Survey = Report | LabelledSurvey


def is_plain(sources: Sequence["Source"], task: str, columns: str) -> bool:
    """Return whether files are plain text, judged by the task or by their format."""
    from charrnn.data.examples import is_labelled

    return task == DEFAULT_TASK or not (task or columns or is_labelled(sources))


def survey_labelled(
    sources: Sequence["Source"],
    task: str,
    columns: str,
    given: Mapping[str, Any],
    known: "Tokenizer | None",
) -> LabelledSurvey:
    """Count labelled data, and encode its inputs as training would.

    given: fields of TokenizerConfig. known: the tokenizer for the inputs.
    """
    from charrnn.data.config import CorpusConfig
    from charrnn.data.formats.report import report
    from charrnn.data.labelled import ExampleCorpus

    corpus = ExampleCorpus(sources, CorpusConfig(columns=columns), task=task)
    labelled = corpus.labelled
    counts = report(labelled.examples, labelled.task, corpus.parts)
    wanted = {one.name for one in fields(TokenizerConfig)} & set(given)
    tokenizers = TASKS[labelled.task]().tokenizers(
        corpus,
        {name: given[name] for name in wanted},
        {"source": known} if known else {},
    )
    inputs = _count([one.source for one in labelled.examples], tokenizers.source)
    return LabelledSurvey(labelled, counts, inputs, tokenizers.output)


def _count(texts: list[str], tokenizer: "Tokenizer") -> Report:
    """Return the counts of texts and of their tokens."""
    import numpy as np

    from charrnn.text.characters import count_characters
    from charrnn.text.size import Tally
    from charrnn.tokenizers.base import BOUNDARY

    report, tally = Report(tokenizer), Tally()
    tally.add(texts, False)
    set_characters(report, count_characters(texts), tally.size)
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    for start in range(0, len(texts), BLOCK):
        ids, ends = tokenizer.encode_closed(texts[start : start + BLOCK])
        counts += np.bincount(ids, minlength=len(counts))
        counts[BOUNDARY] -= len(ends)
    set_tokens(report, counts)
    return report


def _pair(source: str, outputs: Sequence[str]) -> str:
    """Return an input with its outputs, shortened to fit on a line."""
    share = COLUMNS // 2 // len(outputs) - len(OR)
    shown = ARROW + OR.join(excerpt(one, share) for one in outputs)
    return excerpt(source, COLUMNS - console.width(shown)) + shown


def _length(lengths: "Lengths", unit: str) -> str:
    middle = f"{lengths.median:g}"
    return f"median {middle}, longest {lengths.longest:,} {unit}"
