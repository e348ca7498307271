"""Validation: the cross-entropy of every token of a part, in float32."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.batches import IGNORE
from charrnn.data.store import Part
from charrnn.data.validation import validation_batches
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, score_of
from charrnn.models.layers import LayerState
from charrnn.models.network import Network
from charrnn.training.machine.room import check_out_of_memory, no_room

MOST_PARTS: Final = 2048  #: of a batch, whose rows are not more


class StoppedError(Exception):
    """A validation was stopped before its end."""


def evaluate(
    network: Network, part: Part, device: str, stop: Callable[[], bool] = lambda: False
) -> Score:
    """Return the score of a part: each target once, state carried inside a document.

    Raises StoppedError when `stop()` is true before the end, ResourceError when not
    even one row at a time fits the memory.
    """
    return score_of(target_nats(network, part, device, stop), part)


def target_nats(
    network: Network, part: Part, device: str, stop: Callable[[], bool] = lambda: False
) -> Nats:
    """Return -ln p of every target of a part, (N,), in the order of `part_nats`.

    Raises as `evaluate` does.
    """
    parts = 1
    while True:
        try:
            return _target_nats(network, part, device, stop, parts)
        except RuntimeError as error:
            check_out_of_memory(error)
            if parts == MOST_PARTS:
                raise no_room("a validation") from error
        parts *= 2


def _target_nats(
    network: Network, part: Part, device: str, stop: Callable[[], bool], parts: int
) -> Nats:
    found = []
    with torch.inference_mode():
        for group in validation_batches(part):
            state = network.initial_state(len(group[0].carried))
            for batch in group:
                if stop():
                    raise StoppedError
                inputs = torch.from_numpy(batch.inputs).to(device)
                targets = torch.from_numpy(batch.targets).to(device)
                nats, state = _nats(network, inputs, targets, state, parts)
                found.append(nats[targets != IGNORE].double().cpu().numpy())
    return np.concatenate(found)


def _nats(
    network: Network, inputs: Tensor, targets: Tensor, state: LayerState, parts: int
) -> tuple[Tensor, LayerState]:
    """Return -ln p of targets (T, B), 0 where none is, and the state; in some parts."""
    nats, states = [], []
    rows = targets.shape[1]
    size = -(-rows // parts)
    for first in range(0, rows, size):
        part = slice(first, first + size)
        before = tuple(array[part] for array in state)
        logits, after = network(inputs[:, part], before)
        states.append(after)
        flat = _cross_entropy(logits, targets[:, part], "none")
        nats.append(flat.view(len(targets), -1))
    joined = tuple(torch.cat(arrays) for arrays in zip(*states, strict=True))
    return torch.cat(nats, 1), joined


def loss_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy in nats of logits (T, B, V), targets (T, B)."""
    return _cross_entropy(logits, targets, "sum")


def _cross_entropy(logits: Tensor, targets: Tensor, reduction: str) -> Tensor:
    """Return the nats of each target (T B,), 0 where none is, or their sum."""
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        reduction=reduction,
    )
