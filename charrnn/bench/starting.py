"""Readings of how long commands take, from the start of a process to its end."""

import subprocess
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Final

from charrnn.bench.measurement import Reading
from charrnn.bench.plan import Plan
from charrnn.bench.processes import running

CHARACTERS: Final = 1000
CHARRNN: Final = ("-m", "charrnn")
TORCH: Final = ("-c", "import torch")


def start(plan: Plan) -> Iterator[Reading]:
    """Yield the seconds that commands take from their start to their end.

    And how long `sample` takes to its first character. The time to import torch is
    what they do not take.
    """
    sample = (*CHARRNN, "sample", "-m", str(plan.model), "-q", "--seed", "1", "-l")
    score = (*CHARRNN, "score", "-m", str(plan.model), "-q", "The cat sat.")
    for _ in range(plan.rounds):
        yield Reading("import torch", "s", _seconds(TORCH)[1])
        yield Reading("charrnn --help", "s", _seconds((*CHARRNN, "--help"))[1])
        first_s, all_s = _seconds((*sample, str(CHARACTERS)))
        name = f"charrnn sample -l {CHARACTERS}"
        against = ("import torch",)
        yield Reading(f"{name}, first character", "s", first_s, against)
        yield Reading(name, "s", all_s, against)
        yield Reading("charrnn score, 1 sentence", "s", _seconds(score)[1], against)


def _seconds(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the seconds to the first byte on stdout, and to the end."""
    began = perf_counter()
    with running(arguments, stderr=subprocess.DEVNULL) as stdout:
        stdout.read(1)
        first_s = perf_counter() - began
    return first_s, perf_counter() - began
