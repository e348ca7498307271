"""Print to stderr how much a translator attended to each input token."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.cli.predict.output import Predicted
    from charrnn.inference.prediction.attending import Attended
    from charrnn.inference.text_model import TextModel

COLUMNS: Final = 80
GAP: Final = 2  #: blanks between the columns of a table
LEAST_PERCENT: Final = 1  #: a smaller percentage is printed as a dot


def shown(
    model: "TextModel", predicted: Iterable["Predicted"]
) -> Iterator["Predicted"]:
    """Yield predictions; after each, log the attention for its best output."""
    from charrnn.inference.prediction.attending import attended

    for one in predicted:
        yield one
        if one.outputs:
            log(attended(model, one.text, one.outputs[0].output))


def log(found: "Attended") -> None:
    """Log a table of percentages: a row per output token, a column per input token.

    The table is split into several tables if the input is long.
    """
    inputs, outputs = (
        [console.visible(piece.replace("\n", "\\n")) for piece in pieces]
        for pieces in (found.inputs, found.outputs)
    )
    widths = [GAP + max(3, console.width(piece)) for piece in inputs]
    label = max(map(console.width, outputs))
    first = 0
    while first < len(inputs):
        last = first + 1
        while last < len(inputs) and label + sum(widths[first : last + 1]) <= COLUMNS:
            last += 1
        rows = [("", *inputs[first:last])]
        for piece, weights in zip(outputs, found.weights.tolist(), strict=True):
            rows.append((piece, *map(_percent, weights[first:last])))
        console.log(console.table(rows, "<" + ">" * (last - first)))
        first = last


def _percent(weight: float) -> str:
    percent = round(100 * weight)
    return f"{percent}" if percent >= LEAST_PERCENT else "."
