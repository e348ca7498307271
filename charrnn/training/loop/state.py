"""The state of a run, exactly as a snapshot stores it."""

import copy
from dataclasses import dataclass, field
from typing import Self

import torch

from charrnn.models.layers import LayerState
from charrnn.models.network import Network
from charrnn.training.config import TrainConfig
from charrnn.training.events import Counters
from charrnn.training.loop.optimizer import new_optimizer
from charrnn.training.loop.schedule import Schedule
from charrnn.training.machine.precision import loss_scaler


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
