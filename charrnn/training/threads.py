"""What training sets for the whole process, and how many threads are fastest.

More is not always faster: threads wait for each other at every time step. Fifty steps
of 16 units on two busy cores took 21 s with two threads and 0.14 s with one.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Final

import torch

from charrnn.cells import CELLS
from charrnn.config import RecurrentConfig
from charrnn.models.threads import available_cores
from charrnn.training.layers import run_layer
from charrnn.training.precision import autocast

TIME_STEPS: Final = 16
ROUNDS: Final = 6
LIKE: Final = 1.1  #: times the fastest is not clearly slower


@contextmanager
def process_settings() -> Iterator[None]:
    """Set what torch has for the whole process; give the threads back afterwards."""
    threads = torch.get_num_threads()
    # gates that saturate make denormal numbers, which are very slow
    torch.set_flush_denormal(True)
    try:
        with warnings.catch_warnings():
            # cuDNN gathers a layer's weights anew each step: microseconds
            warnings.filterwarnings("ignore", message="RNN module weights")
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def fastest_threads(network: RecurrentConfig, batch: int, precision: str) -> int:
    """Return the number of threads to train with: 1, 2, 4... or all cores.

    The numbers take turns, so that another program that wants a core for a moment
    disturbs them all. As many threads as are not clearly slower than the fastest: what
    is measured is short, and where cores are free more threads gain more.
    """
    before = torch.get_num_threads()
    cores = available_cores()
    doublings = takewhile(lambda n: n < cores, (2**k for k in range(20)))
    layer = _layer(network, batch, precision)
    times: dict[int, list[float]] = {n: [] for n in [*doublings, cores]}
    try:
        for _ in range(ROUNDS):
            for threads, seconds in times.items():
                torch.set_num_threads(threads)
                seconds.append(_seconds(layer))
    finally:
        torch.set_num_threads(before)
    # the first round also allocates and compiles
    best = {threads: min(seconds[1:]) for threads, seconds in times.items()}
    fastest = min(best.values())
    return max(n for n, seconds in best.items() if seconds <= LIKE * fastest)


def _layer(network: RecurrentConfig, batch: int, precision: str) -> Callable[[], None]:
    """Return what runs a layer forward and backward over a few time steps."""
    cell, H = CELLS[network.cell], network.hidden
    shapes = cell.shapes(H, H)
    weights = {n: torch.zeros(shape, requires_grad=True) for n, shape in shapes.items()}
    inputs = torch.zeros(TIME_STEPS, batch, H)
    state = (torch.zeros(batch, H),) * cell.states

    def run() -> None:
        with autocast(precision, "cpu"):
            outputs, _ = run_layer(cell, inputs, state, weights)
        outputs.float().sum().backward()  # type: ignore[no-untyped-call]

    return run


def _seconds(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
