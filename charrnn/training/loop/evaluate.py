"""Validation: the cross-entropy of every target in a part, in float32."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.batches import IGNORE, Batch
from charrnn.data.store import Part
from charrnn.errors import StoppedError
from charrnn.inference.scoring import Nats
from charrnn.models.layers import LayerState
from charrnn.models.network import ConditionalNetwork, Network
from charrnn.tasks.base import Metrics, Task
from charrnn.tokenizers.base import Ids, Tokenizer
from charrnn.training.machine.training_memory import check_out_of_memory, out_of_memory

Stop = Callable[[], bool]

MAX_MICRO_BATCHES: Final = 2048  #: the maximum number of rows in a batch


@dataclass(frozen=True)
class Validation:
    """The result of a validation.

    mixture: the order and members of a mixture, as JSON values.
    """

    metrics: Metrics
    mixture: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Validator:
    """Validates networks on a part of the corpus."""

    task: Task[Any]
    part: Part
    device: str
    output: Tokenizer

    @property
    def tokens(self) -> int:
        """The number of tokens that a validation reads or predicts."""
        return self.part.work_tokens

    def __call__(self, network: Network, stop: Stop = lambda: False) -> Validation:
        """Predict each target of the part once; return the metrics.

        Raises StoppedError if `stop()` becomes true before the end, and ResourceError
        if not even a single row fits in memory.
        """
        nats, best = self.predictions(network, self.part, stop)
        return Validation(self.measure(nats, best))

    def measure(self, nats: Nats, best: Ids | None = None) -> Metrics:
        """Return the metrics of the part."""
        return self.task.measure(nats, self.part, best, self.output)

    def target_nats(
        self, network: Network, part: Part, stop: Stop = lambda: False
    ) -> Nats:
        """Return -ln p of every target of a part, (N,), in the order of `part_nats`.

        Raises the same errors as a validation.
        """
        return self.predictions(network, part, stop)[0]

    def predictions(
        self, network: Network, part: Part, stop: Stop
    ) -> tuple[Nats, Ids | None]:
        """Return the nats of every target, and the most likely token at its position.

        The most likely tokens are None unless the network reads inputs. Raises the same
        errors as a validation.
        """
        micro_batches = 1
        while True:
            try:
                return self._predictions(network, part, stop, micro_batches)
            except RuntimeError as error:
                check_out_of_memory(error)
                if micro_batches == MAX_MICRO_BATCHES:
                    raise out_of_memory("a validation") from error
            micro_batches *= 2

    def _predictions(
        self, network: Network, part: Part, stop: Stop, micro_batches: int
    ) -> tuple[Nats, Ids | None]:
        found, decisions = [], []
        with torch.inference_mode():
            for group in self.task.validation(part):
                state: LayerState = ()
                if not isinstance(network, ConditionalNetwork):
                    state = network.initial_state(len(group[0].carried))
                for batch in group:
                    if stop():
                        raise StoppedError
                    nats, best, state = self._batch(
                        network, batch, state, micro_batches
                    )
                    is_target = batch.targets != IGNORE
                    found.append(nats.double().cpu().numpy()[is_target])
                    if best is not None:
                        decisions.append(best.cpu().numpy()[is_target])
        return np.concatenate(found), np.concatenate(decisions) if decisions else None

    def _batch(
        self, network: Network, batch: Batch, state: LayerState, micro_batches: int
    ) -> tuple[Tensor, Tensor | None, LayerState]:
        """Return -ln p of targets (T, B), the most likely tokens, and the new state.

        The nats are 0 where there is no target.
        """
        nats, decisions, states = [], [], []
        rows = len(batch.carried)
        size = -(-rows // micro_batches)
        for first in range(0, rows, size):
            chosen = slice(first, first + size)
            part = batch.rows(chosen)
            inputs = torch.from_numpy(part.inputs).to(self.device)
            targets = torch.from_numpy(part.targets).to(self.device)
            if isinstance(network, ConditionalNetwork):
                before = network.read(*part.inputs_read)
                logits, _ = network(inputs, before)
                decisions.append(network.decisions(logits, before))
            else:
                before = tuple(array[chosen] for array in state)
                logits, after = network(inputs, before)
                states.append(after)
            flat = _cross_entropy(logits, targets, "none")
            nats.append(flat.view(len(targets), -1))
        joined = tuple(torch.cat(arrays) for arrays in zip(*states, strict=True))
        return (
            torch.cat(nats, 1),
            torch.cat(decisions, 1) if decisions else None,
            joined,
        )


def loss_sum(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the total cross-entropy in nats of targets (T, B), given the logits."""
    return _cross_entropy(logits, targets, "sum", smoothing)


def _cross_entropy(
    logits: Tensor, targets: Tensor, reduction: str, smoothing: float = 0.0
) -> Tensor:
    """Return the nats of all targets, (T B,), with 0 for no target, or their sum."""
    return F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        reduction=reduction,
        label_smoothing=smoothing,
    )
