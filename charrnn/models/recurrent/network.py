"""The torch version of `model.py`, for training: same parameters, with gradients.

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from charrnn.models import CELLS
from charrnn.models.cells import Cell
from charrnn.models.layers import Layer, LayerState, Masks
from charrnn.models.network import Embedding, Linear, Network
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes
from charrnn.models.recurrent.steps import NORM_EPSILON


class Bias(nn.Module):
    """The head of a tied network, whose matrix is the embedding."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(outputs))


class RecurrentNetwork(Network):
    """A recurrent language model that can be trained."""

    family = "recurrent"
    config: RecurrentConfig
    parameter_shapes = staticmethod(parameter_shapes)

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        cell: type[Cell] = CELLS[config.cell]
        self._cell = cell
        V, E, H, depth = config.vocab_size, config.embed, config.hidden, config.layers
        if E:
            self.embedding = Embedding(V, E)
        widths = [E or V] + [H] * (depth - 1)
        self.layers = nn.ModuleList(Layer(cell, width, H) for width in widths)
        norms = depth if config.norm else 0
        self.norms = nn.ModuleList(nn.LayerNorm(H, NORM_EPSILON) for _ in range(norms))
        count = depth * cell.states if config.learned_state else 0
        self.initial = nn.ParameterList(torch.empty(H) for _ in range(count))
        if config.tie and E != H:
            self.projection = Linear(H, E, bias=False)
        self.head = Bias(V) if config.tie else Linear(H, V)

    def initial_state(self, batch: int) -> LayerState:
        """Return the state before any token: arrays (B, H)."""
        shape = (batch, self.config.hidden)
        if self.config.learned_state:
            rows = self.initial.parameters()
            return tuple(row.expand(shape) for row in rows)
        zeros: Tensor = next(self.parameters()).new_zeros(shape)
        return (zeros,) * (self.config.layers * self._cell.states)

    def forward(
        self, tokens: Tensor, state: LayerState, masks: Masks = None
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the new state.

        masks: a dropout mask (B, H) for the output of each layer.
        """
        outputs = self._embed(tokens)
        after: LayerState = ()
        states = self._cell.states
        for k, layer in enumerate(self.layers):
            hidden, last = layer(outputs, state[k * states : (k + 1) * states])
            after += last
            if self.config.norm:
                hidden = self.norms[k](hidden.float())
            if masks is not None:
                hidden = hidden * masks[k]
            outputs = hidden + outputs if k and self.config.residual else hidden
        return self._logits(outputs), tuple(array.float() for array in after)

    @property
    def masked(self) -> Sequence[int]:
        """The width of each layer's output; dropout masks all of these outputs."""
        return [self.config.hidden] * self.config.layers

    def initial_values(
        self, name: str, shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        """Return the initial values of a parameter."""
        if name == "embedding.weight" and self.config.tie:
            # this is also the output matrix, whose values should be small at first
            spread = 1 / math.sqrt(self.config.embed)
            return torch.empty(shape).normal_(0, spread, generator=generator)
        return super().initial_values(name, shape, generator)

    def _embed(self, tokens: Tensor) -> Tensor:
        if self.config.embed:
            embedded: Tensor = self.embedding(tokens)
            return embedded
        one_hot = F.one_hot(tokens, self.config.vocab_size)
        return one_hot.to(next(self.parameters()).dtype)

    def _head(self, outputs: Tensor) -> Tensor:
        if not self.config.tie:
            return super()._head(outputs)
        if self.config.embed != self.config.hidden:
            outputs = self.projection(outputs)
        bias = self.head.get_parameter("bias")
        return F.linear(outputs, self.embedding.weight, bias)
