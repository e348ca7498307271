"""The fixed-window neural language model (Bengio et al. 2003), for inference.

    x      = the concatenated embeddings of the last N - 1 tokens, most recent last
    logits = b + W x + U tanh(d + H x)               W x only with direct connections

The state consists of the last N - 1 tokens, padded on the left with boundaries.

The parameters:

    embedding.weight (V, E)
    hidden.weight (H, (N-1) E), hidden.bias (H,)     H and d
    head.weight (V, H), head.bias (V,)               U and b
    direct.weight (V, (N-1) E)                       W

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden, N order.
"""

import numpy as np

from charrnn.models.base import (
    ConfiguredModel,
    Floats,
    State,
    Tensors,
    Tokens,
    float_tensors,
)
from charrnn.models.window.config import WindowConfig
from charrnn.tokenizers.base import BOUNDARY


def parameter_shapes(config: WindowConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by name."""
    V, H, inputs = config.vocab_size, config.hidden, config.lags * config.embed
    shapes: dict[str, tuple[int, ...]] = {
        "embedding.weight": (V, config.embed),
        "hidden.weight": (H, inputs),
        "hidden.bias": (H,),
        "head.weight": (V, H),
        "head.bias": (V,),
    }
    if config.direct:
        shapes["direct.weight"] = (V, inputs)
    return shapes


class WindowModel(ConfiguredModel):
    """A trained fixed-window network that runs in NumPy, in float32."""

    family = "window"
    config_type = WindowConfig
    config: WindowConfig

    def __init__(self, config: WindowConfig, tensors: Tensors) -> None:
        super().__init__(config, float_tensors(config, tensors, parameter_shapes))

    def initial_state(self, batch: int) -> State:
        """Return the window before any token, (B, N-1), filled with boundaries."""
        return (np.full((batch, self.config.lags), BOUNDARY, np.int64),)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state."""
        (B, T), size = tokens.shape, self.config.lags
        sequence = np.concatenate([state[0], tokens], axis=1)
        # the window that ends at each token, (B, T, N-1)
        windows = sequence[:, np.arange(1, T + 1)[:, None] + np.arange(size)]
        w = self._tensors
        embedded = w["embedding.weight"][windows]
        inputs = embedded.reshape(B * T, size * self.config.embed)
        hidden = inputs @ w["hidden.weight"].T
        hidden += w["hidden.bias"]
        logits = np.tanh(hidden, out=hidden) @ w["head.weight"].T
        logits += w["head.bias"]
        if self.config.direct:
            logits += inputs @ w["direct.weight"].T
        return logits.reshape(B, T, self.vocab_size), (sequence[:, T:],)
