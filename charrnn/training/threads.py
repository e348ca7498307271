"""What training sets for the whole process, and how many threads are fastest.

More is not always faster: threads wait for each other at every time step. Fifty steps
of 16 units on two busy cores took 21 s with two threads and 0.14 s with one.
"""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Final

import torch

from charrnn.cells import CELLS
from charrnn.config import RecurrentConfig
from charrnn.training.layers import run_layer
from charrnn.training.precision import autocast

TIME_STEPS: Final = 16
ROUNDS: Final = 4  # the first one also allocates and compiles


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


def available_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fastest_threads(network: RecurrentConfig, batch: int, precision: str) -> int:
    """Return the number of threads to train with: 1, 2, 4... or all cores."""
    before = torch.get_num_threads()
    cores = available_cores()
    doublings = takewhile(lambda n: n < cores, (2**k for k in range(20)))
    best, best_s = 0, float("inf")
    try:
        for threads in [*doublings, cores]:
            seconds = _layer_s(network, batch, precision, threads)
            if seconds > best_s:
                break
            best, best_s = threads, seconds
    finally:
        torch.set_num_threads(before)
    return best


def _layer_s(
    network: RecurrentConfig, batch: int, precision: str, threads: int
) -> float:
    """Return the least time of a layer's forward and backward pass."""
    torch.set_num_threads(threads)
    cell, H = CELLS[network.cell], network.hidden
    shapes = cell.shapes(H, H)
    weights = {n: torch.zeros(shape, requires_grad=True) for n, shape in shapes.items()}
    inputs = torch.zeros(TIME_STEPS, batch, H)
    state = (torch.zeros(batch, H),) * cell.states
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with autocast(precision, "cpu"):
            outputs, _ = run_layer(cell, inputs, state, weights)
        outputs.float().sum().backward()  # type: ignore[no-untyped-call]
        times.append(time.perf_counter() - began)
    return min(times[1:])
