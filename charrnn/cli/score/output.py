"""The output of `charrnn score`: JSON, plain numbers, tables or colours.

Rows go to stdout; headings and the total below the rows go to stderr.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.inference.score import Score

if TYPE_CHECKING:
    from charrnn.cli.score.items import Item

UNIT_OF_BITS: Final = {"bits": 1.0, "nats": log(2), "log10": -log(2) / log(10)}
ROW: Final = "{:>9}  {:>10}  {:>10}  {:>6}  {:>7}  {}"
# background colours from the 256-colour palette; each step stands for 1.5 bits
HEAT: Final = (231, 230, 229, 222, 215, 209, 203, 196)
HEAT_STEP_BITS: Final = 1.5


@dataclass(frozen=True)
class Scored:
    """A text with its score, and with its tokens or words if requested."""

    text: str
    score: Score
    items: tuple["Item", ...] = ()


@dataclass(frozen=True)
class Format:
    """The model's name, the kind of part scored, the unit, and whether to be quiet."""

    model: str
    per: str
    unit: str
    quiet: bool


def write_json(scored: Iterable[Scored], form: Format) -> None:
    """Write one JSON object per text, or one for all texts."""
    model = {"model": form.model}
    if form.per == "total":
        total, count = _total(scored)
        console.write_json(values(total) | {"texts": count} | model)
        return
    for one in scored:
        record = {"text": one.text} | values(one.score) | model
        if form.per != "text":
            record["items"] = [item.to_json() for item in one.items]
        console.write_json(record)


def write_plain(scored: Iterable[Scored], form: Format) -> None:
    """Write one number per line, for each text, for each item, or for the total."""
    factor = UNIT_OF_BITS[form.unit]
    if form.per == "total":
        scored = [Scored("", _total(scored)[0])]
    for one in scored:
        bits = [one.score.bits]
        if form.per in ("token", "word"):
            bits = [item.bits for item in one.items]
        if bits:
            console.write("".join(f"{value * factor:.6f}\n" for value in bits))


def write_table(scored: Iterable[Scored], form: Format) -> None:
    """Write a row for each text, or for each item of each text."""
    if form.per in ("token", "word"):
        _write_items(scored, form)
        return
    unit = form.unit
    heading = (unit, f"{unit}/char", "perplexity", "tokens", "unknown", "text")
    console.log(ROW.format(*heading), quiet=form.quiet)
    is_total = form.per == "total"
    total, count = _total(scored if is_total else _written(scored, unit))
    row = _row(total, f"total of {console.plural(count, 'text')}", unit)
    if is_total:
        console.write_line(row)
    elif count > 1:
        console.log(row, quiet=form.quiet)


def write_heat(scored: Iterable[Scored], form: Format) -> None:
    """Write each text with a background colour per item; redder is more surprising."""
    most = HEAT_STEP_BITS * (len(HEAT) - 1)
    console.log(f"colours: white 0 bits, red {most:g} bits or more", quiet=form.quiet)
    for one in scored:
        coloured = "".join(map(_coloured, one.items))
        console.write(f"{coloured}\n".encode("utf-8", "replace"))


def values(score: Score) -> dict[str, Any]:
    """Return a score as JSON values, in every unit."""
    return {
        "tokens": score.tokens,
        "chars": score.characters,
        "bytes": score.bytes,
        "words": score.words,
        "unknown": score.unknown,
        "nats": float(score.nats),
        "bits": float(score.bits),
        "log10": float(score.log10),
        "bits_per_token": float(score.bits_per_token),
        "bits_per_char": float(score.bits_per_char),
        "bits_per_byte": float(score.bits_per_byte),
        "perplexity": float(score.perplexity),
        "perplexity_per_word": float(score.perplexity_per_word),
    }


def _total(scored: Iterable[Scored]) -> tuple[Score, int]:
    """Return the sum of the scores and the number of texts."""
    total, count = Score(), 0
    for one in scored:
        total, count = total + one.score, count + 1
    return total, count


def _written(scored: Iterable[Scored], unit: str) -> Iterator[Scored]:
    """Write a row for each text, then yield the text."""
    columns = 0
    if console.is_terminal(sys.stdout):
        columns = shutil.get_terminal_size().columns
    for one in scored:
        first, newline, _ = one.text.partition("\n")
        line = _row(one.score, f"{first} …" if newline else first, unit)
        is_long = 0 < columns < console.width(line)
        console.write_line(line[: columns - 1] + "…" if is_long else line)
        yield one


def _row(score: Score, label: str, unit: str) -> str:
    factor = UNIT_OF_BITS[unit]
    return ROW.format(
        console.number(score.bits * factor),
        console.number(score.bits_per_char * factor),
        console.number(score.perplexity),
        f"{score.tokens:,}",
        f"{score.unknown:,}",
        label,
    )


def _write_items(scored: Iterable[Scored], form: Format) -> None:
    factor = UNIT_OF_BITS[form.unit]
    for number, one in enumerate(scored):
        if number:
            console.write_line("")
        else:
            has_top = any(item.top for item in one.items)
            heading = f"{form.unit:>9}  {'rank':>6}  {form.per}"
            heading += "  likeliest tokens" if has_top else ""
            console.log(heading, quiet=form.quiet)
        for item in one.items:
            rank = "" if item.rank is None else f"{item.rank:,}"
            top = (f"{console.quoted(t)} {b * factor:.2f}" for t, b in item.top)
            row = f"{item.bits * factor:>9.3f}  {rank:>6}  {item.shown}"
            console.write_line(f"{row}  {', '.join(top)}" if item.top else row)


def _coloured(item: "Item") -> str:
    colour = HEAT[int(min(len(HEAT) - 1, item.bits / HEAT_STEP_BITS))]
    # a background colour still active at a line end would fill the rest of the line
    lines = console.visible(item.text).split("\n")
    return "\n".join(
        f"\x1b[38;5;16;48;5;{colour}m{line}\x1b[0m" if line else "" for line in lines
    )
