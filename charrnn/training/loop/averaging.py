"""The average of the weights over the last part of a run, which is what is kept.

A step at a high rate leaves the weights somewhere around a minimum; their average lies
nearer to it (Polyak & Juditsky 1992). In the middle of a run, when the rate is high, it
is 0.03 nats a character better than the weights themselves; at the end, 0.003.
"""

import torch

from charrnn.models.network import Network

#: the average reaches back over about 1/14 of the run so far
WINDOWS: float = 14.0


@torch.no_grad()
def follow(average: Network, network: Network, step: int) -> None:
    """Move the average towards the network after a step, counted from 0.

    Its window is a share of the steps so far (Shamir & Zhang 2013), so that it needs
    no plan: short runs and long ones, new ones and continued ones are averaged alike.
    """
    share = WINDOWS / (step + WINDOWS)
    pairs = zip(average.parameters(), network.parameters(), strict=True)
    for ours, theirs in pairs:
        ours.lerp_(theirs, share)
