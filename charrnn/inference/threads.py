"""The rows of a batch in several threads.

A product that the BLAS library shares out itself waits for its slowest thread at every
step: on two busy cores one step of 32 rows took 25 ms for 0.8. Rows need not wait for
each other, so each thread has its own, and the BLAS library has one thread.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from charrnn.models.base import LanguageModel, State

# arrays of B rows and the state before, to an array of B rows and the state after
RowFunction = Callable[..., tuple[Any, State]]

# multiplications a step that pay for a thread: half a millisecond or so
LEAST_WORK = 16_000_000


@contextmanager
def in_threads(
    function: RowFunction, model: LanguageModel, rows: int
) -> Iterator[RowFunction]:
    """Give a function that does the same, with the rows shared out to threads.

    function: of arrays (B, ...), the last of them a state, whose rows don't depend on
    each other. With too little work, or one core, it is given back as it is.
    """
    count = min(_free_cores(), rows * model.step_work // LEAST_WORK, rows)
    if count < 2:
        yield function
        return
    with ThreadPoolExecutor(count) as pool:

        def shared(*arguments: Any) -> tuple[Any, State]:
            parts = [_split(argument, count) for argument in arguments]
            results, states = zip(*pool.map(function, *parts), strict=True)
            state = tuple(map(np.concatenate, zip(*states, strict=True)))
            return np.concatenate(results), state

        yield shared


def _split(value: Any, count: int) -> list[Any]:
    """Return the rows of an array, or of each array of a state, in `count` parts."""
    if not isinstance(value, tuple):
        return np.array_split(value, count)
    if not value:
        return [()] * count
    return list(zip(*(np.array_split(x, count) for x in value), strict=True))


def _free_cores() -> int:
    """Return how many threads may run: one where the BLAS library has its own."""
    has_one = os.environ.get("OPENBLAS_NUM_THREADS") == "1"
    return available_cores() if has_one else 1


def available_cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
