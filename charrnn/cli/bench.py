"""`charrnn bench`: what this machine does with charrnn."""

import os
import signal
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console
from charrnn.models import CELLS

if TYPE_CHECKING:
    from charrnn.bench.measurement import Measurement, Reading

PARTS: Final = ("train", "sample", "score", "tokenize", "start")
BUSY: Final = 0.3  #: load a core from which on figures are not to be trusted


def bench(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PART",
            parser=options.one_of("PART", *PARTS),
            help=f"What to measure: {', '.join(PARTS)}. By default all of it.",
            show_default=False,
        ),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            "--cell",
            parser=options.one_of("--cell", *CELLS),
            metavar="NAME",
            help=f"Measure a network of this cell only: {', '.join(CELLS)}.",
            show_default=False,
        ),
    ] = None,
    layers: Annotated[
        int | None,
        typer.Option(
            "--layers",
            min=1,
            metavar="INT",
            help="Measure a network of so many layers only.",
            show_default=False,
        ),
    ] = None,
    hidden: Annotated[
        int | None,
        typer.Option(
            "--hidden",
            min=1,
            metavar="INT",
            help="Measure a network of so many units a layer only.",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Measure less, and less exactly, in 20 seconds."),
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure what this machine does.

    \b
        charrnn bench
        charrnn bench train --cell lstm --hidden 384
        charrnn bench sample start --quick

    Each figure is the median of several rounds, with the lowest and the highest. What
    is compared takes turns. FLOP: additions and multiplications in matrix products,
    6 a weight and token in training and 2 in scoring. Without PART it takes some four
    minutes; leave the machine alone meanwhile.
    """
    from charrnn.bench.plan import Plan
    from charrnn.cli import bench_parts

    given = {"cell": cell, "layers": layers, "hidden": hidden}
    shape = {name: value for name, value in given.items() if value is not None}
    chosen = [part for part in PARTS if part in (parts or PARTS)]
    with _ended_by_signals(), tempfile.TemporaryDirectory() as folder:
        plan = Plan.of(folder, shape, is_quick=quick)
        _warn_of_load(quiet=quiet)
        console.say("machine: looking at it", quiet=quiet)
        facts = _system() | bench_parts.machine(plan)
        _write_machine(facts, as_json=as_json)
        for part in chosen:
            readings = bench_parts.readings(part, plan)
            heard = _say_rounds(readings, part, plan.rounds, quiet=quiet)
            _write_part(part, heard, as_json=as_json)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal be an exception, so that no process and no file is left behind."""
    from charrnn.bench.processes import STOPPING

    def end(number: int, frame: FrameType | None) -> None:
        raise typer.Exit(128 + number)

    old = {number: signal.signal(number, end) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _system() -> dict[str, Any]:
    """Return what is known of the machine and the programs without starting any."""
    # here, for the start of every command would wait for them
    import platform
    from importlib.metadata import version

    names = ("charrnn", "torch", "numpy")
    versions = {name: version(name) for name in names}
    return {
        "processor": _processor(),
        "load": os.getloadavg()[0],
        **versions,
        "python": platform.python_version(),
    }


def _processor() -> str:
    """Return the name of the processor, as far as the system says it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("model name")]
    except OSError:
        lines = []
    return lines[0].partition(":")[2].strip() if lines else os.uname().machine


def _warn_of_load(*, quiet: bool) -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > BUSY * cores:
        console.warn(
            f"this machine is busy: load {load:.1f} on {cores} cores; figures will be"
            " too low",
            quiet=quiet,
        )


def _write_machine(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.write_json({"part": "machine", **facts})
        return
    cores = f"{facts['cores']} core{'s' * (facts['cores'] != 1)}"
    programs = ("charrnn", "torch", "numpy", "python")
    rows = [
        ("machine", f"{facts['processor']}, {cores}, load {facts['load']:.1f}"),
        ("programs", ", ".join(f"{name} {facts[name]}" for name in programs)),
        ("training", f"{facts['precision']} on {facts['device']}: {facts['why']}"),
    ]
    for line in console.table_lines(rows, "<<"):
        console.write_line(line)


def _say_rounds(
    readings: Iterable["Reading"], part: str, rounds: int, *, quiet: bool
) -> Iterator["Reading"]:
    """Pass readings on; say when another round of the first begins."""
    first, at = None, 0
    console.say(f"{part}: preparing", quiet=quiet)
    for reading in readings:
        first = first or (reading.name, reading.unit)
        if (reading.name, reading.unit) == first:
            at += 1
            console.say(f"{part}: round {at} of {rounds}", quiet=quiet)
        yield reading


def _write_part(part: str, readings: Iterable["Reading"], *, as_json: bool) -> None:
    from charrnn.bench.measurement import summarize

    found = summarize(readings)
    if as_json:
        for one in found:
            console.write_json({"part": part, **one.to_json()})
        return
    heading = (part, "median", "low", "high", "unit", "compared")
    console.write_line("")
    for line in console.table_lines([heading, *map(_row, found)], "<>>><<"):
        console.write_line(line)


def _row(one: "Measurement") -> tuple[str, ...]:
    figures = (one.median, one.low, one.high)
    # of one row alike, so that they can be read below each other
    decimals = next((n for n, least in enumerate((100, 10, 1)) if one.low >= least), 3)
    compared = [_comparison(other, ratio) for other, ratio in one.compared.items()]
    return (
        one.name,
        *(console.number(figure, decimals) for figure in figures),
        one.unit,
        "; ".join(compared),
    )


def _comparison(other: str, ratio: float) -> str:
    return f"{ratio:.0%} of {other}" if ratio < 2 else f"{ratio:.1f} times {other}"
