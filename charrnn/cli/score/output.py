"""What `charrnn score` writes: JSON, plain numbers, tables, colours.

Rows go to stdout; their heading and the total are talk and go to stderr.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.cli.score.items import Item
    from charrnn.inference.score import Score

UNIT_OF_BITS: Final = {"bits": 1.0, "nats": log(2), "log10": -log(2) / log(10)}
ROW: Final = "{:>11}  {:>10}  {:>10}  {:>8}  {:>7}  {}"
TOTAL: Final = "total of {:,} texts"
# background colours of the 256-colour palette, one for each 1.5 bits
HEAT: Final = (231, 230, 229, 222, 215, 209, 203, 196)
HEAT_STEP_BITS: Final = 1.5


@dataclass(frozen=True)
class Scored:
    """A text, its score, and its parts if they were wanted."""

    text: str
    score: "Score"
    items: tuple["Item", ...] = ()


@dataclass(frozen=True)
class Format:
    """What is said of the model, at which granularity, in which unit."""

    model: str
    per: str
    unit: str
    quiet: bool


def write_json(scored: Iterable[Scored], format_: Format) -> None:
    """Write an object for each text, or one of the sums."""
    if format_.per == "total":
        total, count = _total(scored)
        sums = values(total) | {"texts": count, "model": format_.model}
        console.write_json(sums)
        return
    for one in scored:
        record = {"text": one.text} | values(one.score) | {"model": format_.model}
        if format_.per != "text":
            record["items"] = [item.to_json() for item in one.items]
        console.write_json(record)


def write_plain(scored: Iterable[Scored], format_: Format) -> None:
    """Write a number a line: of each text, of each part, or of the total."""
    factor = UNIT_OF_BITS[format_.unit]
    if format_.per == "total":
        scored = iter([Scored("", _total(scored)[0])])
    for one in scored:
        bits = [one.score.bits]
        if format_.per in ("token", "word"):
            bits = [item.bits for item in one.items]
        if bits:
            console.write("".join(f"{value * factor:.6f}\n" for value in bits))


def write_table(scored: Iterable[Scored], format_: Format) -> None:
    """Write a row for each text, or for each part of each text."""
    if format_.per in ("token", "word"):
        _write_items(scored, format_)
        return
    unit = format_.unit
    heading = (unit, f"{unit}/char", "perplexity", "tokens", "unknown", "text")
    console.say(ROW.format(*heading), quiet=format_.quiet)
    if format_.per == "total":
        total, count = _total(scored)
        console.write_line(_row(total, TOTAL.format(count), unit))
        return
    total, count = _total(_written(scored, unit))
    if count > 1:
        console.say(_row(total, TOTAL.format(count), unit), quiet=format_.quiet)


def write_heat(scored: Iterable[Scored], format_: Format) -> None:
    """Write the texts with each part on a background of its surprisal."""
    most = HEAT_STEP_BITS * (len(HEAT) - 1)
    console.say(
        f"from white, likely, to red: {most:g} bits or more", quiet=format_.quiet
    )
    for one in scored:
        coloured = "".join(_coloured(item) for item in one.items)
        console.write(f"{coloured}\n".encode("utf-8", "replace"))


def values(score: "Score") -> dict[str, Any]:
    """Return a score in every unit."""
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


def _total(scored: Iterable[Scored]) -> tuple["Score", int]:
    """Return the sum of the scores, and of how many texts."""
    from charrnn.inference.score import Score

    total, count = Score(), 0
    for one in scored:
        total, count = total + one.score, count + 1
    return total, count


def _written(scored: Iterable[Scored], unit: str) -> Iterator[Scored]:
    """Write a row for each text on its way through."""
    columns = 0
    if console.is_terminal(console.stdout()):
        columns = shutil.get_terminal_size().columns
    for one in scored:
        line = _row(one.score, _first_line(one.text), unit)
        is_long = 0 < columns < console.width(line)
        console.write_line(line[: columns - 1] + "…" if is_long else line)
        yield one


def _row(score: "Score", label: str, unit: str) -> str:
    factor = UNIT_OF_BITS[unit]
    return ROW.format(
        console.number(score.bits * factor),
        console.number(score.bits_per_char * factor),
        console.number(score.perplexity),
        f"{score.tokens:,}",
        f"{score.unknown:,}",
        label,
    )


def _first_line(text: str) -> str:
    line, newline, _ = text.partition("\n")
    return f"{line} …" if newline else line


def _write_items(scored: Iterable[Scored], format_: Format) -> None:
    factor = UNIT_OF_BITS[format_.unit]
    has_top = False
    for number, one in enumerate(scored):
        if number:
            console.write_line("")
        else:
            has_top = any(item.top for item in one.items)
            heading = f"{format_.unit:>9}  {'rank':>6}  {format_.per}"
            heading += "  likeliest there" if has_top else ""
            console.say(heading, quiet=format_.quiet)
        for item in one.items:
            rank = "" if item.rank is None else f"{item.rank:,}"
            row = f"{item.bits * factor:>9.3f}  {rank:>6}  {item.shown}"
            console.write_line(row + _alternatives(item, factor))


def _alternatives(item: "Item", factor: float) -> str:
    parts = (f"{console.quoted(t)} {bits * factor:.2f}" for t, bits in item.top)
    return f"  {', '.join(parts)}" if item.top else ""


def _coloured(item: "Item") -> str:
    colour = HEAT[int(min(len(HEAT) - 1, item.bits / HEAT_STEP_BITS))]
    # a background that goes over a line end would colour the rest of the line
    lines = console.visible(item.text).split("\n")
    return "\n".join(
        f"\x1b[38;5;16;48;5;{colour}m{line}\x1b[0m" if line else "" for line in lines
    )
