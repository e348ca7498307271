"""Validation: the cross-entropy of every token of a part, in float32."""

import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.batches import IGNORE, validation_batches
from charrnn.scoring import Score
from charrnn.store import Part
from charrnn.training.network import Network


def evaluate(network: Network, part: Part, device: str) -> Score:
    """Return the score of a part: each target once, state carried inside a document."""
    nats, tokens = 0.0, 0
    with torch.inference_mode():
        for group in validation_batches(part):
            state = network.initial_state(len(group[0].carried))
            for batch in group:
                inputs = torch.from_numpy(batch.inputs).to(device)
                targets = torch.from_numpy(batch.targets).to(device)
                logits, state = network(inputs, state)
                nats += float(loss_sum(logits, targets))
                tokens += batch.tokens
    return Score(nats, tokens, part.characters, part.bytes, part.words, part.unknown)


def loss_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the summed cross-entropy in nats of logits (T, B, V), targets (T, B)."""
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        reduction="sum",
    )
