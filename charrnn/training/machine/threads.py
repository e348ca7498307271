"""Measures how many threads train fastest.

More threads are not always faster, because they wait for each other at every time
step. On two busy cores, fifty steps of a network with 16 units took 21 s with
two threads and 0.14 s with one.
"""

import time
from collections.abc import Callable
from itertools import takewhile
from typing import Final

import torch
from torch import Tensor

from charrnn.inference.threads import available_cores
from charrnn.training.machine.precision import autocast

ROUNDS: Final = 6
TOLERANCE: Final = 1.1  #: up to this factor, a time counts as equal to the fastest


def fastest_threads(probe: Callable[[], Tensor], precision: str) -> int:
    """Return the number of threads to train with: 1, 2, 4... or all cores.

    probe: runs the forward pass of a step, or a part of it. The candidates alternate,
    so that another program that briefly uses a core affects all of them. Among the
    candidates about as fast as the fastest, the largest wins: the probe is short, and a
    real step gains more from additional threads.
    """
    before = torch.get_num_threads()
    cores = available_cores()
    doublings = takewhile(lambda n: n < cores, (2**k for k in range(20)))

    def run() -> None:
        with autocast(precision, "cpu"):
            outputs = probe()
        outputs.float().sum().backward()  # type: ignore[no-untyped-call]

    times: dict[int, list[float]] = {n: [] for n in [*doublings, cores]}
    try:
        for _ in range(ROUNDS):
            for threads, seconds in times.items():
                torch.set_num_threads(threads)
                seconds.append(_seconds(run))
    finally:
        torch.set_num_threads(before)
    # the first round also allocates and compiles
    best = {threads: min(seconds[1:]) for threads, seconds in times.items()}
    fastest = min(best.values())
    return max(n for n, seconds in best.items() if seconds <= TOLERANCE * fastest)


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
