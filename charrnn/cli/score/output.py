"""The output of `charrnn score`: JSON, plain numbers, tables or colours.

Rows go to stdout; headings, and a total below the rows, go to stderr.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isinf, log
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console
from charrnn.inference.score import Score

if TYPE_CHECKING:
    from charrnn.cli.score.items import Item

PARTS: Final = ("token", "word")  #: values of --per that request items
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


def write_json(scored: Iterable[Scored], per: str, model: str) -> None:
    """Write one JSON object per text, or one for all texts."""
    if per == "total":
        total, count = _total(scored)
        console.write_json(values(total) | {"texts": count, "model": model})
        return
    for one in scored:
        record = {"text": one.text, **values(one.score), "model": model}
        if per in PARTS:
            record["items"] = [item.to_json() for item in one.items]
        console.write_json(record)


def write_plain(scored: Iterable[Scored], per: str, unit: str) -> None:
    """Write one number per line: for each text or item, or for the total."""
    factor = UNIT_OF_BITS[unit]
    if per == "total":
        scored = [Scored("", _total(scored)[0])]
    for one in scored:
        parts = one.items if per in PARTS else (one.score,)
        console.write("".join(f"{part.bits * factor:.6f}\n" for part in parts))


def write_table(
    scored: Iterable[Scored],
    per: str,
    unit: str,
    *,
    quiet: bool,
    finite: bool = False,
) -> None:
    """Write a row for each text, or for the total of all texts.

    finite: leave texts with probability 0 out of the total.
    """
    heading = (unit, f"{unit}/char", "perplexity", "tokens", "unknown", "text")
    console.log(ROW.format(*heading), quiet=quiet)
    is_total = per == "total"
    counted = scored if is_total else _written(scored, unit)
    total, count = _total(counted, finite=finite)
    row = _row(total, f"total of {console.plural(count, 'text')}", unit)
    if is_total:
        console.write_line(row)
    elif count > 1:
        console.log(row, quiet=quiet)


def write_items(scored: Iterable[Scored], per: str, unit: str, *, quiet: bool) -> None:
    """Write a row for each item of each text, and a blank line between texts."""
    factor = UNIT_OF_BITS[unit]
    for number, one in enumerate(scored):
        if number:
            console.write_line("")
        else:
            has_top = any(item.top for item in one.items)
            top = "  likeliest tokens" if has_top else ""
            console.log(f"{unit:>9}  {'rank':>6}  {per}{top}", quiet=quiet)
        for item in one.items:
            rank = "" if item.rank is None else f"{item.rank:,}"
            row = f"{item.bits * factor:>9.3f}  {rank:>6}  {item.shown}"
            likely = (f"{console.quoted(t)} {b * factor:.2f}" for t, b in item.top)
            console.write_line(f"{row}  {', '.join(likely)}" if item.top else row)


def write_heat(scored: Iterable[Scored], *, quiet: bool) -> None:
    """Write each text with a background colour per item; redder is more surprising."""
    most = HEAT_STEP_BITS * (len(HEAT) - 1)
    console.log(f"colours: white 0 bits, red {most:g} bits or more", quiet=quiet)
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
        "nats": score.nats,
        "bits": score.bits,
        "log10": score.log10,
        "bits_per_token": score.bits_per_token,
        "bits_per_char": score.bits_per_char,
        "bits_per_byte": score.bits_per_byte,
        "perplexity": score.perplexity,
        "perplexity_per_word": score.perplexity_per_word,
    }


def _total(scored: Iterable[Scored], *, finite: bool = False) -> tuple[Score, int]:
    """Return the sum of the scores and their number. finite: skip infinite scores."""
    total, count = Score(), 0
    for one in scored:
        if not (finite and isinf(one.score.nats)):
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


def _coloured(item: "Item") -> str:
    colour = HEAT[int(min(len(HEAT) - 1, item.bits / HEAT_STEP_BITS))]
    # a background colour still active at a line end would fill the rest of the line
    lines = console.visible(item.text).split("\n")
    return "\n".join(
        f"\x1b[38;5;16;48;5;{colour}m{line}\x1b[0m" if line else "" for line in lines
    )
