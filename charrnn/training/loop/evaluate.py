"""Validation: the cross-entropy of every target in a part, in float32."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.batches import IGNORE
from charrnn.data.store import Part
from charrnn.inference.scoring import Nats
from charrnn.models.layers import LayerState
from charrnn.models.network import Network
from charrnn.tasks.base import Metrics, Task
from charrnn.training.machine.training_memory import check_out_of_memory, out_of_memory

Stop = Callable[[], bool]

MAX_MICRO_BATCHES: Final = 2048  #: the maximum number of rows in a batch


class StoppedError(Exception):
    """A validation was stopped before its end."""


@dataclass(frozen=True)
class Validation:
    """The result of a validation.

    mixture: the order and members of a mixture, as JSON values.
    """

    metrics: Metrics
    mixture: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Validator:
    """Validates networks on a part of the corpus."""

    task: Task
    part: Part
    device: str

    @property
    def targets(self) -> int:
        """The number of targets that a validation predicts."""
        return self.part.targets

    def __call__(self, network: Network, stop: Stop = lambda: False) -> Validation:
        """Return the metrics of the part, each of whose targets is predicted once.

        Raises StoppedError if `stop()` becomes true before the end, ResourceError if
        not even a single row fits in memory.
        """
        nats = self.target_nats(network, self.part, stop)
        return Validation(self.task.measure(nats, self.part))

    def target_nats(
        self, network: Network, part: Part, stop: Stop = lambda: False
    ) -> Nats:
        """Return -ln p of every target of a part, (N,), in the order of `part_nats`.

        Raises the same errors as a validation.
        """
        micro_batches = 1
        while True:
            try:
                return self._target_nats(network, part, stop, micro_batches)
            except RuntimeError as error:
                check_out_of_memory(error)
                if micro_batches == MAX_MICRO_BATCHES:
                    raise out_of_memory("a validation") from error
            micro_batches *= 2

    def _target_nats(
        self, network: Network, part: Part, stop: Stop, micro_batches: int
    ) -> Nats:
        found = []
        with torch.inference_mode():
            for group in self.task.validation(part):
                state = network.initial_state(len(group[0].carried))
                for batch in group:
                    if stop():
                        raise StoppedError
                    inputs = torch.from_numpy(batch.inputs).to(self.device)
                    targets = torch.from_numpy(batch.targets).to(self.device)
                    nats, state = _nats(network, inputs, targets, state, micro_batches)
                    found.append(nats[targets != IGNORE].double().cpu().numpy())
        return np.concatenate(found)


def _nats(
    network: Network,
    inputs: Tensor,
    targets: Tensor,
    state: LayerState,
    micro_batches: int,
) -> tuple[Tensor, LayerState]:
    """Return -ln p of targets (T, B), 0 where there is no target, and the new state."""
    nats, states = [], []
    rows = targets.shape[1]
    size = -(-rows // micro_batches)
    for first in range(0, rows, size):
        rows_of = slice(first, first + size)
        before = tuple(array[rows_of] for array in state)
        logits, after = network(inputs[:, rows_of], before)
        states.append(after)
        flat = _cross_entropy(logits, targets[:, rows_of], "none")
        nats.append(flat.view(len(targets), -1))
    joined = tuple(torch.cat(arrays) for arrays in zip(*states, strict=True))
    return torch.cat(nats, 1), joined


def loss_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the total nats (cross-entropy) of targets (T, B) by logits (T, B, V)."""
    return _cross_entropy(logits, targets, "sum")


def _cross_entropy(logits: Tensor, targets: Tensor, reduction: str) -> Tensor:
    """Return the nats of each target (T B,), 0 for no target, or their sum."""
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        reduction=reduction,
    )
