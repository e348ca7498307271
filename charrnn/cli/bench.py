"""`charrnn bench`: measure how fast this machine trains, samples and scores."""

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import arguments, console
from charrnn.cli.arguments import option
from charrnn.fields import check
from charrnn.models import CELLS

if TYPE_CHECKING:
    from charrnn.bench.measurement import Reading

SECONDS: Final = 5.0  #: time spent on each measurement


@dataclass(frozen=True)
class BenchOptions:
    """The recurrent network to measure."""

    cell: str = option("lstm", choices=CELLS, help="Kind of cell.")
    layers: int = option(1, at_least=1, help="Number of layers.")
    hidden: int = option(512, at_least=1, help="Number of units per layer.")
    all: bool = option(False, help="Also measure training with every other cell.")

    def __post_init__(self) -> None:
        check(self)


@arguments.with_options(BenchOptions)
def bench(
    as_json: arguments.Json = False, quiet: arguments.Quiet = False, **given: Any
) -> None:
    """Measure how fast this machine trains, samples and scores.

    \b
        charrnn bench
        charrnn bench --cell gru --hidden 256
        charrnn bench --all --json

    Each result is the median of several rounds. GFLOP/s is the speed of the network's
    matrix products alone, and share is the percentage of it that the network reaches.
    "bf16 x 2" means bfloat16 on 2 threads. The command takes about 30 seconds; close
    other programs first.
    """
    options = BenchOptions(**given)
    # must be set before NumPy is imported, as in all commands that load a model
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from charrnn.bench.inference_speed import VOCABULARY, inference_speed
    from charrnn.models.recurrent.config import RecurrentConfig
    from charrnn.training.machine.process import prepare_process

    cell, layers, hidden = options.cell, options.layers, options.hidden
    config = RecurrentConfig(VOCABULARY, cell=cell, layers=layers, hidden=hidden)
    machine = _machine()
    facts = "{processor}, threads: {threads}, torch {torch}, numpy {numpy}"
    console.log(f"machine: {facts.format(**machine)}", quiet=quiet)
    readings = list(inference_speed(config, seconds=SECONDS))
    prepare_process()
    # imported only now, because sampling and scoring are measured without torch
    from charrnn.bench.training_speed import training_speed

    for name in dict.fromkeys([cell, *(CELLS if options.all else ())]):
        one = replace(config, cell=name)
        readings.append(training_speed(one, seconds=SECONDS))
    if as_json:
        console.write_json({"machine": machine, "readings": [*map(asdict, readings)]})
        return
    heading = ("", "speed", "unit", "GFLOP/s", "share %")
    console.write_line(console.table([heading, *map(_row, readings)], "<><>>"))


def _machine() -> dict[str, Any]:
    """Return the processor name, the available threads and the library versions."""
    from importlib.metadata import version

    from charrnn.inference.threads import available_cores

    processor = os.uname().machine
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        names = (line.split(":")[1] for line in file if line.startswith("model name"))
        processor = next(names, processor).strip()
    facts = {name: version(name) for name in ("torch", "numpy")}
    return {"processor": processor, "threads": available_cores(), **facts}


def _row(reading: "Reading") -> tuple[str, ...]:
    speed = console.number(reading.value, 0 if reading.value >= 100 else 2)
    gflops = console.number(reading.products_gflops, 0)
    share = console.number(100 * reading.share, 0)
    return reading.name, speed, reading.unit, gflops, share
