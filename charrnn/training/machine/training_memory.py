"""Estimates the memory that training needs, and reports running out of memory."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import torch

from charrnn.errors import ResourceError
from charrnn.training.config import TrainConfig
from charrnn.training.machine.memory import available_bytes

Shapes = Mapping[str, tuple[int, ...]]

#: of each weight: itself, average, gradient, Adam's two moments, and those in a save
COPIES: Final = 9
#: numbers kept per token for each row and column of a matrix; cells measured 1.5 to 3.5
NUMBERS_KEPT: Final = 4
LIBRARIES_BYTES: Final = 100_000_000  #: memory that the kernels use themselves


def needed_bytes(shapes: Shapes, training: TrainConfig, longest: int = 0) -> int:
    """Return a cautious (high) estimate of the memory that training needs.

    shapes: shapes of the network's parameters, by name. longest: the number of steps
    for the longest example, which is never cut. The token store is not counted, because
    it is memory-mapped from disk.
    """
    parameters = sum(map(math.prod, shapes.values()))
    # a matrix product keeps its inputs and outputs for the backward pass
    is_tied = "head.weight" not in shapes
    products = [s for n, s in shapes.items() if is_tied or n != "embedding.weight"]
    token = NUMBERS_KEPT * sum(sum(shape) for shape in products if len(shape) > 1)
    window = max(training.batch * training.bptt, longest) * token
    return LIBRARIES_BYTES + 4 * (COPIES * parameters + window)


def free_bytes(device: str) -> int:
    """Return how much memory is free on a device."""
    if device == "cpu":
        return available_bytes()
    return int(torch.cuda.mem_get_info(device)[0])


def check_memory(shapes: Shapes, training: TrainConfig, longest: int = 0) -> None:
    """Raise ResourceError if training is likely to need more memory than is free.

    longest: as in `needed_bytes`.
    """
    needed, free = needed_bytes(shapes, training, longest), free_bytes(training.device)
    if needed > free and longest > training.batch * training.bptt:
        raise ResourceError(
            f"training needs about {needed / 1e9:,.1f} GB of memory on"
            f" {training.device} for the longest example;"
            f" {free / 1e9:,.1f} GB are free",
            hint="shorten it, or reduce `hidden`, `layers` or `embed`;"
            "\n`force` trains anyway",
        )
    if needed > free:
        raise ResourceError(
            f"training needs about {needed / 1e9:,.1f} GB of memory on"
            f" {training.device}; {free / 1e9:,.1f} GB are free",
            hint="reduce `hidden`, `layers`, `embed`,"
            f" `batch` ({training.batch}) or `bptt` ({training.bptt});"
            "\n`force` trains anyway",
        )


@contextmanager
def reporting_memory(what: str) -> Iterator[None]:
    """Raise ResourceError, naming what did not fit, if the block runs out of memory."""
    try:
        yield
    except RuntimeError as error:
        check_out_of_memory(error)
        raise out_of_memory(what) from error


def out_of_memory(what: str) -> ResourceError:
    """Return the error for something that does not fit in memory."""
    return ResourceError(
        f"not enough memory for {what}",
        hint="reduce `hidden`, `layers`, `embed` or `bptt`",
    )


def check_out_of_memory(error: RuntimeError) -> None:
    """Re-raise an error unless it means out of memory, on GPU or CPU."""
    is_gpu = isinstance(error, torch.OutOfMemoryError)
    if not is_gpu and "can't allocate memory" not in str(error):
        raise error
