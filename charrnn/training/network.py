"""The trainable twin of `models/recurrent.py`: the same parameters, with gradients.

Parameters have the names and shapes of `recurrent.parameter_shapes`, so that what is
trained here is a model file there without any translation.

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from charrnn.cells import CELLS
from charrnn.config import RecurrentConfig
from charrnn.models.recurrent import NORM_EPSILON, parameter_shapes
from charrnn.training.layers import LayerState, run_layer

# above this the output matrix costs enough to be worth bfloat16's rounding
WIDE_VOCABULARY = 1024


class Network(nn.Module):
    """A recurrent language model that can be trained."""

    def __init__(self, config: RecurrentConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self._cell = CELLS[config.cell]
        shapes = parameter_shapes(config)
        # a parameter's name may not hold the dot that a file's names do
        self._names = {name: name.replace(".", "__") for name in shapes}
        for name, shape in shapes.items():
            values = initial_values(name, shape, config, generator)
            self.register_parameter(self._names[name], nn.Parameter(values))

    def parameter(self, name: str) -> nn.Parameter:
        """Return a parameter by its name in the model file."""
        return self.get_parameter(self._names[name])

    def named(self) -> dict[str, nn.Parameter]:
        """Return the parameters by their names in the model file."""
        return {name: self.parameter(name) for name in self._names}

    def initial_state(self, batch: int) -> LayerState:
        """Return the state before any token: arrays (B, H)."""
        count = self.config.layers * self._cell.states
        shape = (batch, self.config.hidden)
        if self.config.learned_state:
            rows = (self.parameter(f"initial.{k}") for k in range(count))
            return tuple(row.expand(shape) for row in rows)
        zeros = self.parameter("head.bias").new_zeros(shape)
        return (zeros,) * count

    def forward(
        self,
        tokens: Tensor,
        state: LayerState,
        masks: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the state.

        masks: a dropout mask (B, H) for the output of each layer.
        """
        outputs = self._embed(tokens)
        after: LayerState = ()
        states = self._cell.states
        for k in range(self.config.layers):
            before = state[k * states : (k + 1) * states]
            hidden, last = run_layer(self._cell, outputs, before, self._layer(k))
            after += last
            if self.config.norm:
                hidden = self._norm(k, hidden)
            if masks is not None:
                hidden = hidden * masks[k]
            outputs = hidden + outputs if k and self.config.residual else hidden
        return self._logits(outputs), tuple(array.float() for array in after)

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return a copy of the parameters as a model file keeps them."""
        arrays = {n: p.detach().float().cpu().numpy() for n, p in self.named().items()}
        return {name: array.copy() for name, array in arrays.items()}

    def load(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Set every parameter. Raises ValueError where shapes disagree."""
        with torch.no_grad():
            for name, parameter in self.named().items():
                values = torch.from_numpy(np.array(tensors[name]))
                if values.shape != parameter.shape:
                    raise ValueError(f"{name} has another shape here")
                parameter.copy_(values)

    def _embed(self, tokens: Tensor) -> Tensor:
        if self.config.embed:
            return F.embedding(tokens, self.parameter("embedding.weight"))
        one_hot = F.one_hot(tokens, self.config.vocab_size)
        return one_hot.to(self.parameter("head.bias").dtype)

    def _layer(self, k: int) -> dict[str, Tensor]:
        inputs = self.config.hidden if k else 1
        names = self._cell.shapes(inputs, self.config.hidden)
        return {name: self.parameter(f"layers.{k}.{name}") for name in names}

    def _norm(self, k: int, hidden: Tensor) -> Tensor:
        weight = self.parameter(f"norms.{k}.weight")
        bias = self.parameter(f"norms.{k}.bias")
        return F.layer_norm(hidden.float(), weight.shape, weight, bias, NORM_EPSILON)

    def _logits(self, outputs: Tensor) -> Tensor:
        if self.config.vocab_size > WIDE_VOCABULARY:
            return self._head(outputs)
        with torch.autocast(outputs.device.type, enabled=False):
            return self._head(outputs.to(self.parameter("head.bias").dtype))

    def _head(self, outputs: Tensor) -> Tensor:
        bias = self.parameter("head.bias")
        if not self.config.tie:
            return F.linear(outputs, self.parameter("head.weight"), bias)
        if "projection.weight" in self._names:
            outputs = F.linear(outputs, self.parameter("projection.weight"))
        return F.linear(outputs, self.parameter("embedding.weight"), bias)


def initial_values(
    name: str,
    shape: tuple[int, ...],
    config: RecurrentConfig,
    generator: torch.Generator,
) -> Tensor:
    """Return the values that a parameter has before training."""
    kind = name.rsplit(".", 1)[-1]
    if name.startswith("norms") and kind == "weight":
        return torch.ones(shape)
    if kind == "weight_hh":
        # orthogonal for each gate (Saxe et al. 2014): the state keeps its length
        gates = torch.empty(shape).chunk(shape[0] // config.hidden)
        return torch.cat([nn.init.orthogonal_(g, generator=generator) for g in gates])
    if kind == "bias_ih" and config.cell.startswith("lstm"):
        # a forget gate that is open at first (Jozefowicz et al. 2015)
        bias = torch.zeros(shape)
        bias[config.hidden : 2 * config.hidden] = 1
        return bias
    if len(shape) == 1:
        return torch.zeros(shape)
    if name == "embedding.weight":
        # tied, it is the output matrix too, whose rows should start small
        spread = 1 / math.sqrt(config.embed) if config.tie else 1.0
        return torch.empty(shape).normal_(0, spread, generator=generator)
    bound = 1 / math.sqrt(shape[1])
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)
