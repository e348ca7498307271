"""Dropout masks as a function of the plan and the step."""

import numpy as np
import torch
from torch import Tensor

from charrnn.training.config import TrainConfig
from charrnn.training.loop.state import TrainState


def dropout_masks(
    state: TrainState, config: TrainConfig, step: int, rows: int
) -> list[Tensor] | None:
    """Return a mask (B, H) for the output of each layer, or None without dropout.

    A mask is the same at every time step of the window (Gal & Ghahramani 2016). Masks
    depend only on (seed, step), so no random state has to be saved.
    """
    p = config.dropout + config.dropout_rise * state.schedule.progress(step)
    if not p:
        return None
    # mix both values: torch's CPU generator uses only the low 32 bits of a seed
    mixed = np.random.SeedSequence([config.seed, step]).generate_state(1)
    generator = torch.Generator(config.device).manual_seed(int(mixed[0]))
    masks = [torch.empty(rows, n, device=config.device) for n in state.network.masked]
    kept = 1 - p
    return [mask.bernoulli_(kept, generator=generator) / kept for mask in masks]
