"""The facts about this machine that a training plan needs."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from charrnn.errors import UsageError
from charrnn.inference.threads import available_cores
from charrnn.models.families import FAMILIES
from charrnn.models.network import ConditionalNetwork, Network
from charrnn.training.config import TrainConfig
from charrnn.training.machine.precision import choose_device, choose_precision
from charrnn.training.machine.threads import fastest_threads
from charrnn.training.machine.training_memory import Shapes, check_memory

PROBE_STEPS: Final = 16
PROBE_VOCABULARY: Final = 64  #: small, so that the layers dominate the time


class ThisMachine:
    """Device, precision, memory and threads, as probed on this machine.

    given: fields of TrainConfig. force: skip the memory check. Raises UsageError for a
    device or precision that does not work on this machine.
    """

    def __init__(self, given: Mapping[str, Any], *, force: bool) -> None:
        cores = os.cpu_count() or 1
        if given.get("threads", 1) > cores:
            raise UsageError(
                f"`threads` is {given['threads']:,}, but there are {cores} cores",
                hint="omit `threads`",
            )
        self.device = choose_device(given.get("device", "auto"))
        precision = given.get("precision", "auto")
        self.precision, self.reason = choose_precision(precision, self.device)
        self._force = force

    def check_memory(self, shapes: Shapes, training: TrainConfig, longest: int) -> None:
        """Raise ResourceError if training is likely to need too much memory."""
        if not self._force:
            check_memory(shapes, training, longest)

    def threads(self, family: str, model: Any, training: TrainConfig) -> int:
        """Return the number of threads to train with."""
        if training.device != "cpu":
            # no probe: the GPU may use a number format that the processor cannot run
            return available_cores()
        kind: type[Network] = FAMILIES[family].network_type
        if not issubclass(kind, ConditionalNetwork):  # whose sizes depend on each other
            model = replace(model, vocab_size=min(model.vocab_size, PROBE_VOCABULARY))
        network = kind(model)
        with torch.no_grad():
            for weight in network.parameters():
                weight.zero_()
        steps = min(PROBE_STEPS, training.bptt)
        tokens = torch.zeros(steps, training.batch, dtype=torch.int64)

        def probe() -> Tensor:
            if isinstance(network, ConditionalNetwork):
                source = np.zeros((steps, training.batch), np.int64)
                state = network.read(source, np.full(training.batch, steps))
            else:
                state = network.initial_state(training.batch)
            logits: Tensor = network(tokens, state)[0]
            return logits

        return fastest_threads(probe, training.precision)
