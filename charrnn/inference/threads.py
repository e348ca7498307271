"""Splitting the rows of a batch among threads.

When the BLAS library splits a product among threads, every step waits for the slowest
thread: on two busy cores, a step of 32 rows took 25 ms instead of 0.8. Rows are
independent, so each thread here processes its own, and the BLAS library uses only one.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from charrnn.models.base import LanguageModel, State

# A function that takes arrays of B rows and a state, and returns an array of B rows and
# the next state.
RowFunction = Callable[..., tuple[Any, State]]

# multiplications per step for which a thread is worth its overhead of about 0.5 ms
LEAST_WORK = 16_000_000


@contextmanager
def in_threads(
    function: RowFunction, model: LanguageModel, rows: int
) -> Iterator[RowFunction]:
    """Provide a version of a function that splits the rows among threads.

    The rows must be independent. If there is little work or only one core, the function
    itself is provided.
    """
    count = min(free_cores(), rows * model.step_work // LEAST_WORK, rows)
    if count < 2:
        yield function
        return
    with ThreadPoolExecutor(count) as pool:

        def threaded(*arguments: Any) -> tuple[Any, State]:
            parts = [_split(argument, count) for argument in arguments]
            results, states = zip(*pool.map(function, *parts), strict=True)
            state = tuple(map(np.concatenate, zip(*states, strict=True)))
            return np.concatenate(results), state

        yield threaded


def _split(value: Any, count: int) -> list[Any]:
    """Split the rows of an array, or of each array of a state, into `count` parts."""
    if not isinstance(value, tuple):
        return np.array_split(value, count)
    if not value:
        return [()] * count
    return list(zip(*(np.array_split(x, count) for x in value), strict=True))


def free_cores() -> int:
    """Return the maximum number of threads: one if BLAS itself uses threads."""
    has_one = os.environ.get("OPENBLAS_NUM_THREADS") == "1"
    return available_cores() if has_one else 1


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
