"""The output of `charrnn predict`: lines, JSON, a table, or labelled data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.data.formats.base import Example, Labelled
    from charrnn.inference.prediction.predicting import Prediction
    from charrnn.tasks.base import Task


CHUNK_LINES: Final = 1000  #: number of lines that are written at once


@dataclass(frozen=True)
class Predicted:
    """An input, the text that the model read, and the best outputs, best first."""

    example: "Example"
    text: str
    outputs: "list[Prediction]"


def write_lines(
    predicted: Iterable[Predicted], layout: "Labelled", task: "Task[Any]", num: int
) -> None:
    """Write a line per input, or CoNLL if the inputs were read from CoNLL."""
    from charrnn.data.examples import write_examples
    from charrnn.data.inputs import is_by_word

    if num == 1 and is_by_word(layout.format):
        pieces = write_examples(task.format, _examples(predicted))
        while chunk := "".join(islice(pieces, CHUNK_LINES)):
            console.write(chunk)
        return
    for one in predicted:
        cells = []
        for found in one.outputs:
            cells.append(task.shown(one.text, found.output))
            if task.shows_p or num > 1:
                cells.append(_probability(found.p))
        console.write_line("\t".join(cells))


def write_json(predicted: Iterable[Predicted], task: "Task[Any]", model: str) -> None:
    """Write one JSON object per input."""
    for one in predicted:
        outputs = [
            {"output": task.listed(found.output), "p": found.p, "nats": found.nats}
            for found in one.outputs
        ]
        record = {"input": one.example.source, "predictions": outputs}
        console.write_json(record | {"model": model})


def write_tsv(predicted: Iterable[Predicted]) -> None:
    """Write a header, then a row per output; an empty input has one row."""
    from charrnn.text.characters import one_line

    console.write_line("input\toutput\tp\tnats")
    for one in predicted:
        source = one_line(one.example.source)
        for found in one.outputs:
            output = one_line(found.output)
            console.write_line(f"{source}\t{output}\t{found.p:.6g}\t{found.nats:.6f}")
        if not one.outputs:
            console.write_line(f"{source}\t\t\t")


def to_file(
    predicted: Iterable[Predicted],
    layout: "Labelled",
    task: "Task[Any]",
    out: str,
    *,
    quiet: bool,
) -> Iterator[Predicted]:
    """Write all predictions to a file, or to stdout if it is "-"; then yield them."""
    from charrnn.data.examples import write_examples
    from charrnn.storage import files

    everything = list(predicted)
    written = list(_examples(everything))
    pieces = write_examples(
        layout.format or task.format,
        written,
        columns=layout.columns,
        header=layout.header,
    )
    text = "".join(pieces)
    if out == "-":
        console.write(text)
    else:
        files.write(Path(out), text.encode("utf-8", "surrogateescape"))
        size = console.plural(len(written), "example")
        console.log(f"saved {out}, {size}", quiet=quiet)
    yield from everything


def _examples(predicted: Iterable[Predicted]) -> Iterator["Example"]:
    """Yield each input with its best output as an example; leave out empty inputs."""
    for one in predicted:
        if one.outputs:
            best = one.outputs[0].output
            yield replace(one.example, source=one.text, target=best)


def _probability(p: float) -> str:
    return f"{p:.2f}" if p >= 0.01 else f"{p:.1g}"
