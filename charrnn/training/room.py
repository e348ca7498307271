"""What training takes of the memory: guessed before it begins, and when it ran out."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch

from charrnn.config import TrainConfig
from charrnn.errors import ResourceError
from charrnn.training.memory import AVAILABLE, figures, installed_bytes

Shapes = Mapping[str, tuple[int, ...]]

#: weights, their average, gradients and Adam's two moments, and the file of a save
COPIES: Final = 9
#: numbers a token for each row and column of a matrix: measured 1.5 to 3.5 for cells
KEPT: Final = 4
LIBRARIES_BYTES: Final = 100_000_000  #: what kernels take for themselves
#: folder of a control group, and where it says how much it may take, and takes
CGROUPS: Final = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


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
    """Return how much memory is free on a device, and in the control group."""
    if device != "cpu":
        return int(torch.cuda.mem_get_info(device)[0])
    path, name = AVAILABLE
    available = figures(path).get(name)
    found = [installed_bytes() if available is None else 1024 * available]
    for folder, most, taken in CGROUPS:
        limit, used = (figures(Path(folder, name)).get("") for name in (most, taken))
        # files that were read are given up when memory is wanted
        given_up = figures(Path(folder, "memory.stat")).get("inactive_file", 0)
        if limit is not None and used is not None:
            found.append(limit - used + given_up)
    return min(found)


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
