"""Gradient accumulation, which splits a batch when memory runs out.

Shape letters: B batch, T time, H hidden.
"""

import torch

from charrnn.data.batches import Batch
from charrnn.models.layers import LayerState, Masks
from charrnn.models.network import Network
from charrnn.training.config import TrainConfig
from charrnn.training.loop.evaluate import loss_sum
from charrnn.training.loop.state import StateBefore
from charrnn.training.machine.precision import autocast
from charrnn.training.machine.training_memory import check_out_of_memory, out_of_memory


class Gradients:
    """Runs forward and backward passes; uses more micro-batches if memory runs out.

    Accumulated gradients equal those of the whole batch, up to rounding.
    """

    def __init__(
        self, network: Network, scaler: torch.amp.GradScaler, config: TrainConfig
    ) -> None:
        self._network = network
        self._scaler = scaler
        self._config = config
        self.micro_batches = 1

    def add(
        self, batch: Batch, state_before: StateBefore, masks: Masks
    ) -> tuple[float, LayerState]:
        """Set the gradients; return the loss in nats per token and the new state.

        state_before: returns the state in which a batch begins. masks: dropout masks,
        each (B, H). Raises ResourceError if a single row does not fit in memory.
        """
        while True:
            try:
                return self._add(batch, state_before, masks)
            except RuntimeError as error:
                check_out_of_memory(error)
                if self.micro_batches >= len(batch.carried):
                    raise out_of_memory(
                        f"one row of {batch.longest:,} tokens"
                    ) from error
            # done outside the handler, because the error keeps tensors alive
            self.micro_batches *= 2
            if self._config.device != "cpu":
                torch.cuda.empty_cache()

    def _add(
        self, batch: Batch, state_before: StateBefore, masks: Masks
    ) -> tuple[float, LayerState]:
        device, rows = self._config.device, len(batch.carried)
        self._network.zero_grad()
        nats, states = torch.zeros((), device=device), []
        size = -(-rows // self.micro_batches)
        for first in range(0, rows, size):
            chosen = slice(first, first + size)
            part = batch.rows(chosen)
            inputs = torch.from_numpy(part.inputs).to(device)
            targets = torch.from_numpy(part.targets).to(device)
            dropped = [mask[chosen] for mask in masks] if masks else None
            with autocast(self._config.precision, device):
                before = state_before(part, chosen, dropped)
                logits, state = self._network(inputs, before, dropped)
            loss = loss_sum(logits, targets, self._config.label_smoothing)
            loss = loss / batch.tokens
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            nats += loss.detach()
            if batch.source is None:  # otherwise, no state is carried
                states.append(tuple(array.detach() for array in state))
        joined = tuple(torch.cat(arrays) for arrays in zip(*states, strict=True))
        return float(nats), joined
