"""Networks and trainers outside a run."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from charrnn.data.store import Part, TokenStore
from charrnn.inference.scoring import Nats
from charrnn.models.families import FAMILIES
from charrnn.models.network import Network
from charrnn.tasks.language import LanguageTask
from charrnn.tokenizers.char import CharTokenizer
from charrnn.training.config import TrainConfig
from charrnn.training.loop.dropout import dropout_masks
from charrnn.training.loop.evaluate import Validator
from charrnn.training.loop.state import TrainState
from charrnn.training.loop.trainer import Trainer
from charrnn.training.loop.window_stages import WindowStages

TASK = LanguageTask()
CHARS = CharTokenizer("ab")


def new_network(config: Any, family: str = "recurrent", seed: int = 1) -> Any:
    """Return a network before training."""
    network = FAMILIES[family].network_type(config)
    network.initialize(torch.Generator().manual_seed(seed))
    return network


def trainer_of(
    network: Network,
    store: TokenStore,
    config: TrainConfig,
    clock: Callable[[], float] = time.monotonic,
) -> Trainer:
    """Return a trainer before its first step."""
    stages = WindowStages(TASK, store.train, config)
    validator = Validator(TASK, store.valid, config.device, CHARS)
    return Trainer(
        TrainState.new(network, config), stages, validator, config, clock=clock
    )


def evaluate(network: Network, part: Part) -> Any:
    """Return the score of a part."""
    return Validator(TASK, part, "cpu", CHARS)(network).metrics


def target_nats(network: Network, part: Part) -> Nats:
    """Return the nats of every target of a part."""
    return Validator(TASK, part, "cpu", CHARS).target_nats(network, part)


def masks_of(trainer: Trainer, step: int, rows: int) -> list[Tensor]:
    """Return the dropout masks of a step."""
    masks = dropout_masks(trainer.state, trainer.config, step, rows)
    assert masks
    return masks
