"""What `charrnn compare` writes: two tables of the same rows, or one JSON object."""

from collections.abc import Sequence
from math import isfinite, isinf
from typing import TYPE_CHECKING, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.comparing import Compared

QUALITY: Final = ("model", "kind", "bits/char", "to best", "95% interval", "real")
SIZES: Final = (
    "model",
    "tokens",
    "parameters",
    "size",
    "bits/byte",
    "bits/word",
    "perplexity",
    "unknown",
    "chars/s",
)


def write_table(found: Sequence["Compared"]) -> None:
    """Write how good each model is, then what it is and costs."""
    rows = [QUALITY, *map(_quality, found)]
    sizes = [SIZES, *map(_sizes, found)]
    for line in console.table_lines(rows, "<<>><<"):
        console.write_line(line)
    console.write_line("")
    for line in console.table_lines(sizes, "<<>>>>>>>"):
        console.write_line(line)


def _quality(one: "Compared") -> tuple[str, ...]:
    reading = one.reading
    low, high = one.interval
    return (
        reading.model.name,
        reading.model.model.kind,
        _number(reading.score.bits_per_char),
        "best" if one.is_best else _number(one.difference, "+"),
        f"{low:+.3f} to {high:+.3f}" if isfinite(low) else "",
        "" if one.is_best else "yes" if one.interval.excludes_zero else "no",
    )


def _sizes(one: "Compared") -> tuple[str, ...]:
    reading = one.reading
    score, model = reading.score, reading.model
    return (
        model.name,
        model.tokenizer.level,
        f"{model.model.parameters:,}",
        console.size(reading.file_bytes),
        _number(score.bits_per_byte),
        _number(score.bits_per_word),
        _number(score.perplexity),
        f"{score.unknown:,}",
        f"{score.characters / reading.seconds:,.0f}",
    )


def _number(value: float, sign: str = "") -> str:
    if isinf(value):
        return f"{sign}inf"
    return f"{value:{sign},.3f}" if isfinite(value) else "-"
