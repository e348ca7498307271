"""Time runs, and count the floating-point operations (FLOP) per token.

Only the multiplications and additions of matrix products are counted. With W weights in
all matrices, the forward pass takes 2 W FLOP per token. A training step takes 6 W,
because the gradients of inputs and weights add 2 W each.
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes

WARM_UP_ROUNDS: Final = 2  #: the first calls also allocate memory and choose kernels
LEAST_ROUNDS: Final = 3

Run = Callable[[], float]  # does some work and returns the amount of work


@dataclass(frozen=True)
class Reading:
    """A measured speed or time.

    products_gflops: the speed of the matrix products alone, NaN if there are none.
    share: the measured speed as a fraction of the speed of the products alone.
    """

    name: str
    value: float
    unit: str
    products_gflops: float = math.nan
    share: float = math.nan


def matrices(config: RecurrentConfig) -> dict[str, tuple[int, int]]:
    """Return the shape (outputs, inputs) of every matrix used in a product, by name."""
    return {
        name: (shape[0], shape[1])
        for name, shape in parameter_shapes(config).items()
        if len(shape) == 2 and (config.tie or name != "embedding.weight")
    }


def compare(
    name: str, unit: str, runs: tuple[Run, Run], flop: int, seconds: float
) -> Reading:
    """Compare the speed of a run with that of a second run, its matrix products alone.

    Both runs count their work in tokens, and each token takes `flop` operations.
    """
    value, products = rates(*runs, seconds=seconds)
    return Reading(name, value, unit, products * flop / 1e9, value / products)


def rates(*runs: Run, seconds: float) -> list[float]:
    """Return the median work per second of each run.

    The runs alternate for `seconds`, so that a slowdown of the machine affects both.
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
