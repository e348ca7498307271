"""The recurrent language model, for inference.

    y_0    = embedding of the token, or its one-hot vector
    y_l    = norm_l(cell_l(y_{l-1})) + y_{l-1}    without + y_{l-1} in the first layer
    logits = head(y_L)

Four parts are optional: layer normalization (Ba et al. 2016), residual connections, a
learned initial state, and an output matrix tied to the embedding.

The parameters:

    embedding.weight (V, E)                      absent with one-hot input
    layers.K.weight_ih, ...                      see cells.py
    norms.K.weight, norms.K.bias (H,)
    initial.K (H,)                               initial value of the state's array K
    projection.weight (E, H)                     only if tied and E != H
    head.weight (V, H), head.bias (V,)           only the bias if tied

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden, G gates.
"""

from collections.abc import Iterable

import numpy as np

from charrnn.models import CELLS
from charrnn.models.base import (
    ConfiguredModel,
    Floats,
    State,
    Tensors,
    Tokens,
    float_tensors,
    under,
)
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.steps import affine, layer_norm, product, steps_of

# The largest table of the first layer's input products for all tokens. For 32,000
# tokens and 1,024 units, filling it would take longer than scoring most texts, and a
# small file could demand more memory than there is.
TABLE_SIZE = 1 << 23


def parameter_shapes(config: RecurrentConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by name."""
    V, E, H = config.vocab_size, config.embed, config.hidden
    cell = CELLS[config.cell]
    shapes: dict[str, tuple[int, ...]] = {}
    if E:
        shapes["embedding.weight"] = (V, E)
    for k in range(config.layers):
        inputs = H if k else (E or V)
        for name, shape in cell.shapes(inputs, H).items():
            shapes[f"layers.{k}.{name}"] = shape
        if config.norm:
            shapes[f"norms.{k}.weight"] = shapes[f"norms.{k}.bias"] = (H,)
    if config.learned_state:
        for k in range(config.layers * cell.states):
            shapes[f"initial.{k}"] = (H,)
    if config.tie and E != H:
        shapes["projection.weight"] = (E, H)
    if not config.tie:
        shapes["head.weight"] = (V, H)
    shapes["head.bias"] = (V,)
    return shapes


class RecurrentModel(ConfiguredModel):
    """A trained recurrent network that runs in NumPy, in float32."""

    family = "recurrent"
    config_type = RecurrentConfig
    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig, tensors: Tensors) -> None:
        super().__init__(config, float_tensors(config, tensors, parameter_shapes))
        self._cell = CELLS[config.cell]
        self._layers = [
            steps_of(config.cell, under(f"layers.{k}.", self._tensors))
            for k in range(config.layers)
        ]
        self._norms = [
            under(f"norms.{k}.", self._tensors) for k in range(config.layers)
        ]
        size = config.vocab_size * self._layers[0].bias.size
        is_small = not config.embed or size <= TABLE_SIZE
        self._table = self._project_vocabulary() if is_small else None

    def initial_state(self, batch: int) -> State:
        """Return the state before any token: arrays (B, H) for each layer."""
        count = self.config.layers * self._cell.states
        shape = (batch, self.config.hidden)
        if not self.config.learned_state:
            return tuple(np.zeros(shape, np.float32) for _ in range(count))
        rows = (self._tensors[f"initial.{k}"] for k in range(count))
        return tuple(np.tile(row, (batch, 1)) for row in rows)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state."""
        states = self._cell.states
        B, T = tokens.shape
        # time first, so that each step's arrays are contiguous
        inputs = self._embedded(tokens.T)
        outputs: Floats = np.empty(0, np.float32)
        after: State = ()
        for k, layer in enumerate(self._layers):
            if k:
                inputs = affine(outputs, layer.weight_ih, layer.bias)
            hidden = np.empty((T, B, self.config.hidden), np.float32)
            before = state[k * states : (k + 1) * states]
            after += layer.run(inputs, before, hidden)
            if self.config.norm:
                layer_norm(hidden, self._norms[k])
            if k and self.config.residual:
                hidden += outputs
            outputs = hidden
        return self._logits(outputs).swapaxes(0, 1), after

    def _embedded(self, tokens: Tokens) -> Iterable[Floats]:
        """Return the first layer's W x + b, (B, G*H) for each step of tokens (T, B)."""
        if self._table is not None:
            # lazy, so that the rows of one step stay in the cache
            return map(self._table.__getitem__, tokens)
        layer = self._layers[0]
        inputs = self._tensors["embedding.weight"][tokens]
        return affine(inputs, layer.weight_ih, layer.bias)

    def _project_vocabulary(self) -> Floats:
        """Return the first layer's W x + b for every token, (V, G*H)."""
        layer = self._layers[0]
        inputs = layer.weight_ih  # a one-hot vector selects a row
        if self.config.embed:
            inputs = self._tensors["embedding.weight"] @ inputs
        return np.asarray(inputs + layer.bias)

    def _logits(self, outputs: Floats) -> Floats:
        """Return the logits (T, B, V) of the outputs (T, B, H)."""
        name = "embedding.weight" if self.config.tie else "head.weight"
        if "projection.weight" in self._tensors:
            outputs = product(outputs, self._tensors["projection.weight"].T)
        return affine(outputs, self._tensors[name].T, self._tensors["head.bias"])
