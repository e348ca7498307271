"""Timing, and the number of floating-point operations (FLOP) per token.

FLOP are the multiplications and additions of matrix products. With W weights in the
matrices that a token is multiplied with, a forward pass takes 2 W and a training step
6 W: backward, the gradients of the inputs and of the weights take 2 W each.
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes

WARM_UP_ROUNDS: Final = 2  #: the first calls allocate memory and choose kernels
LEAST_ROUNDS: Final = 3

Run = Callable[[], float]  # does some work, and returns how much


@dataclass(frozen=True)
class Reading:
    """One measured speed, or a time.

    products_gflops: the speed of its matrix products alone, nan if it has none.
    share: the measured speed as a fraction of it.
    """

    name: str
    value: float
    unit: str
    products_gflops: float = math.nan
    share: float = math.nan


def matrices(config: RecurrentConfig) -> dict[str, tuple[int, int]]:
    """Return the shapes (outputs, inputs) of all matrices in products, by name."""
    return {
        name: (shape[0], shape[1])
        for name, shape in parameter_shapes(config).items()
        if len(shape) == 2 and (config.tie or name != "embedding.weight")
    }


def compare(
    name: str, unit: str, runs: tuple[Run, Run], flop: int, seconds: float
) -> Reading:
    """Return the speed of the first run next to that of the second, its products.

    The work of both is counted in tokens, of `flop` operations each.
    """
    value, products = rates(*runs, seconds=seconds)
    return Reading(name, value, unit, products * flop / 1e9, value / products)


def rates(*runs: Run, seconds: float) -> list[float]:
    """Return the median work per second of each run.

    The runs alternate for `seconds`, so that a slowdown of the machine affects all.
    """
    for run in runs * WARM_UP_ROUNDS:
        run()
    found: list[list[float]] = [[] for _ in runs]
    end = perf_counter() + seconds
    while len(found[0]) < LEAST_ROUNDS or perf_counter() < end:
        for run, speeds in zip(runs, found, strict=True):
            began = perf_counter()
            work = run()
            speeds.append(work / (perf_counter() - began))
    return list(map(statistics.median, found))
