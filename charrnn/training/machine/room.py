"""What training takes of the memory: guessed before it begins, and when it ran out."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import torch

from charrnn.errors import ResourceError
from charrnn.training.config import TrainConfig
from charrnn.training.machine.memory import available_bytes

Shapes = Mapping[str, tuple[int, ...]]

#: weights, their average, gradients and Adam's two moments, and the file of a save
COPIES: Final = 9
#: numbers a token for each row and column of a matrix: measured 1.5 to 3.5 for cells
KEPT: Final = 4
LIBRARIES_BYTES: Final = 100_000_000  #: what kernels take for themselves


def needed_bytes(shapes: Shapes, training: TrainConfig) -> int:
    """Return what training a network takes, roughly and rather too much.

    shapes: of its parameters by name. The token store is not counted: it is mapped,
    and read from the disk.
    """
    parameters = sum(map(math.prod, shapes.values()))
    # a product keeps what goes in and what comes out, and what is made of them
    is_tied = "head.weight" not in shapes
    products = [s for n, s in shapes.items() if is_tied or n != "embedding.weight"]
    token = KEPT * sum(sum(shape) for shape in products if len(shape) > 1)
    window = training.batch * training.bptt * token
    return LIBRARIES_BYTES + 4 * (COPIES * parameters + window)


def free_bytes(device: str) -> int:
    """Return how much memory is free on a device."""
    if device == "cpu":
        return available_bytes()
    return int(torch.cuda.mem_get_info(device)[0])


def check_memory(shapes: Shapes, training: TrainConfig) -> None:
    """Raise ResourceError if training is likely to need more than there is."""
    needed, free = needed_bytes(shapes, training), free_bytes(training.device)
    if needed > free:
        raise ResourceError(
            f"training needs about {needed / 1e9:,.1f} GB of memory on"
            f" {training.device}; {free / 1e9:,.1f} GB are free",
            hint="take a smaller --hidden, --layers or --embed, or less than"
            f" --batch {training.batch} or --bptt {training.bptt}\n"
            "or try it all the same: --force",
        )


@contextmanager
def making_room(what: str) -> Iterator[None]:
    """Say so if memory runs out while the block runs. Raises ResourceError."""
    try:
        yield
    except RuntimeError as error:
        check_out_of_memory(error)
        raise no_room(what) from error


def no_room(what: str) -> ResourceError:
    """Return the error that says that memory is too small for something."""
    return ResourceError(
        f"there is not enough memory for {what}",
        hint="take a smaller --hidden, --layers, --embed or --bptt",
    )


def check_out_of_memory(error: RuntimeError) -> None:
    """Raise an error again unless it says that memory ran out, on a GPU or not."""
    is_gpu = isinstance(error, torch.OutOfMemoryError)
    if not is_gpu and "can't allocate memory" not in str(error):
        raise error
