"""The torch version of `model.py`, for training: same parameters, with gradients.

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden, N order.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from charrnn.models.layers import LayerState, Masks
from charrnn.models.network import Embedding, Linear, Network
from charrnn.models.window.config import WindowConfig
from charrnn.models.window.model import parameter_shapes
from charrnn.tokenizers.base import BOUNDARY


class WindowNetwork(Network):
    """A fixed-window language model that can be trained."""

    family = "window"
    config: WindowConfig
    parameter_shapes = staticmethod(parameter_shapes)

    def __init__(self, config: WindowConfig) -> None:
        super().__init__()
        self.config = config
        V, H, inputs = config.vocab_size, config.hidden, config.embed * config.lags
        self.embedding = Embedding(V, config.embed)
        self.hidden = Linear(inputs, H)
        self.head = Linear(H, V)
        if config.direct:
            self.direct = Linear(inputs, V, bias=False)

    def initial_state(self, batch: int) -> LayerState:
        """Return the window before any token, (B, N-1), filled with boundaries."""
        shape = (batch, self.config.lags)
        return (torch.full(shape, BOUNDARY, device=self.embedding.weight.device),)

    def forward(
        self, tokens: Tensor, state: LayerState, masks: Masks = None
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the new state.

        masks: a dropout mask (B, H) for the hidden layer.
        """
        sequence = torch.cat([state[0].T, tokens])  # (N-1+T, B)
        T = len(tokens)
        embedded = self.embedding(sequence)
        lags = [embedded[k : k + T] for k in range(1, self.config.order)]
        inputs = torch.cat(lags, dim=-1)  # (T, B, (N-1) E)
        hidden = self.hidden(inputs).tanh()
        if masks is not None:
            hidden = hidden * masks[0]
        logits = self._logits(hidden)
        if self.config.direct:
            logits = logits + self.direct(inputs)
        return logits, (sequence[T:].T,)

    @property
    def masked(self) -> Sequence[int]:
        """The width of the hidden layer, the only output that dropout masks."""
        return [self.config.hidden]

    def initial_values(
        self, name: str, shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        """Return the initial values of a parameter."""
        if name == "direct.weight":
            return torch.zeros(shape)
        return super().initial_values(name, shape, generator)
