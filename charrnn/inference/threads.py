"""Splitting rows among threads.

When the BLAS library splits a product among threads, every step waits for the slowest
thread: on two busy cores, a step of 32 rows took 25 ms instead of 0.8. Rows are
independent, so each thread here processes its own, and the BLAS library uses only one.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from charrnn.models.base import LanguageModel, State

# A function that takes arrays of B rows and a state, and returns an array of B rows and
# the next state.
RowFunction = Callable[..., tuple[Any, State]]

R = TypeVar("R")

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


def in_groups(
    function: Callable[[list[int]], Sequence[R]],
    sizes: Sequence[int],
    *,
    most_rows: int,
    most_tokens: int,
) -> list[R]:
    """Return a result for each row, computed for groups of rows of similar size.

    function: takes the numbers of the rows in a group. sizes: the number of tokens of
    each row. A group has at most `most_rows` rows and, with padding, `most_tokens`
    tokens. Threads share the groups.
    """
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    groups = []
    while order:
        # the longest rows first, so that no thread has to wait for them at the end
        count = min(most_rows, max(1, most_tokens // sizes[order[-1]]))
        groups.append(order[-count:])
        del order[-count:]
    with ThreadPoolExecutor(free_cores()) as pool:
        results = chain.from_iterable(pool.map(function, groups))
        found = dict(zip(chain.from_iterable(groups), results, strict=True))
    return [found[i] for i in range(len(sizes))]


def free_cores() -> int:
    """Return the maximum number of threads: one if BLAS itself uses threads."""
    has_one = os.environ.get("OPENBLAS_NUM_THREADS") == "1"
    return available_cores() if has_one else 1


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
