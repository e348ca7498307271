"""The state of a run, exactly as a snapshot stores it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from charrnn.data.batches import Batch
from charrnn.models.layers import LayerState, Masks
from charrnn.models.network import ConditionalNetwork, Network
from charrnn.training.config import TrainConfig
from charrnn.training.events import Counters
from charrnn.training.loop.optimizer import new_optimizer
from charrnn.training.loop.schedule import Schedule
from charrnn.training.machine.precision import loss_scaler

#: the state for a part of a batch, its rows and its dropout masks
StateBefore = Callable[[Batch, slice, Sequence[Tensor] | None], LayerState]


@dataclass
class TrainState:
    """Everything that cannot be derived from the plan and the step.

    network: the current weights. average: the averaged weights, which are validated and
    saved as the model. optimizer: Adam's moments. scaler: the loss scale of fp16.
    carried: the recurrent state after the last batch, arrays (B, ...). schedule: the
    marks of the plan.
    """

    network: Network
    average: Network
    optimizer: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    carried: LayerState | None = None
    schedule: Schedule = field(default_factory=Schedule)
    counters: Counters = field(default_factory=Counters)

    @classmethod
    def new(cls, network: Network, config: TrainConfig) -> Self:
        """Return the state before the first step."""
        network = network.to(config.device)
        return cls(
            network,
            copy.deepcopy(network),
            new_optimizer(network, config),
            loss_scaler(config.precision, config.device),
        )


def state_before(state: TrainState, batch: Batch) -> StateBefore:
    """Return a function that returns the state in which some rows of a batch begin.

    This is the state after the inputs, the state carried from the last batch, or the
    initial state.
    """
    network, carried = state.network, state.carried

    def of_rows(part: Batch, rows: slice, masks: Masks) -> LayerState:
        if isinstance(network, ConditionalNetwork):
            return network.read(*part.inputs_read, masks)
        initial = network.initial_state(len(part.carried))
        if carried is None or not batch.carried.any():
            return initial
        is_carried = torch.from_numpy(part.carried)[:, None].to(carried[0].device)
        pairs = zip(carried, initial, strict=True)
        return tuple(torch.where(is_carried, old[rows], new) for old, new in pairs)

    return of_rows
