"""Validation: the cross-entropy of every token of a part, in float32."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.batches import IGNORE, validation_batches
from charrnn.scoring import Nats, Score, score_of
from charrnn.store import Part
from charrnn.training.network import Network


def evaluate(network: Network, part: Part, device: str) -> Score:
    """Return the score of a part: each target once, state carried inside a document."""
    return score_of(target_nats(network, part, device), part)


def target_nats(network: Network, part: Part, device: str) -> Nats:
    """Return -ln p of every target of a part, (N,), in the order of `part_nats`."""
    found = []
    with torch.inference_mode():
        for group in validation_batches(part):
            state = network.initial_state(len(group[0].carried))
            for batch in group:
                inputs = torch.from_numpy(batch.inputs).to(device)
                targets = torch.from_numpy(batch.targets).to(device)
                logits, state = network(inputs, state)
                nats = F.cross_entropy(
                    logits.float().flatten(0, 1),
                    targets.flatten(),
                    ignore_index=IGNORE,
                    reduction="none",
                )
                found.append(nats[targets.flatten() != IGNORE].double().cpu().numpy())
    return np.concatenate(found)


def loss_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy in nats of logits (T, B, V), targets (T, B)."""
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        reduction="sum",
    )
