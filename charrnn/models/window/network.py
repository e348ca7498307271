"""The trainable twin of `models/window.py`: the same parameters, with gradients.

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden, N order.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.store import TokenStore
from charrnn.models.layers import LayerState
from charrnn.models.network import Network
from charrnn.models.window.config import WindowConfig
from charrnn.models.window.model import parameter_shapes
from charrnn.tokenizers.base import BOUNDARY


class WindowNetwork(Network):
    """A fixed-window language model that can be trained."""

    family = "window"
    config: WindowConfig
    parameter_shapes = staticmethod(parameter_shapes)

    def initial_state(self, batch: int) -> LayerState:
        """Return the window before any token, (B, N-1): boundaries."""
        shape = (batch, self.config.order - 1)
        device = self.parameter("head.bias").device
        return (torch.full(shape, BOUNDARY, device=device),)

    def forward(
        self,
        tokens: Tensor,
        state: LayerState,
        masks: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the state.

        masks: a dropout mask (B, H) for the hidden layer.
        """
        sequence = torch.cat([state[0].T, tokens])  # (N-1+T, B)
        T = len(tokens)
        embedded = F.embedding(sequence, self.parameter("embedding.weight"))
        lags = [embedded[k : k + T] for k in range(1, self.config.order)]
        inputs = torch.cat(lags, dim=-1)  # (T, B, (N-1) E)
        weight, bias = self.parameter("hidden.weight"), self.parameter("hidden.bias")
        hidden = F.linear(inputs, weight, bias).tanh()
        if masks is not None:
            hidden = hidden * masks[0]
        logits = self._logits(hidden)
        if self.config.direct:
            logits = logits + F.linear(inputs, self.parameter("direct.weight"))
        return logits, (sequence[T:].T,)

    @property
    def masked(self) -> Sequence[int]:
        """The widths of the outputs that dropout masks: of the hidden layer."""
        return [self.config.hidden]

    @classmethod
    def initial_values(
        cls,
        name: str,
        shape: tuple[int, ...],
        config: WindowConfig,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the values that a parameter has before training."""
        if name == "direct.weight":
            return torch.zeros(shape)
        return super().initial_values(name, shape, config, generator)

    @staticmethod
    def choose(
        store: TokenStore,
        given: Mapping[str, Any],
        training: Mapping[str, Any],
        *,
        device: str,
    ) -> tuple[WindowConfig, list[str]]:
        """Complete a config by the text and the time; return also why, in phrases."""
        tokens, V = store.train.targets, store.vocab_size
        # longer windows learn more slowly
        order, what = 8, "the vocabulary is small"
        if store.has_long_tokens:
            order, what = 5, "tokens are words or parts of them"
        hidden = 256 if tokens < 100_000 else 512
        why = {
            "order": f"order {order}: {what}",
            "hidden": f"hidden {hidden}: {tokens:,} tokens to train on",
        }
        sizes = {"order": order, "hidden": hidden, **given, "vocab_size": V}
        return WindowConfig(**sizes), [why[name] for name in why if name not in given]

    @staticmethod
    def choose_windows(store: TokenStore, given: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens a step reads, `bptt` of each of `batch` streams."""
        # as many places of the text as the memory is short: there is no state to carry
        bptt = given.get("bptt", 32)
        batch = min(64, max(1, store.train.targets // (4 * bptt)))
        return {"batch": batch, "bptt": bptt, "stages": 1}

    @staticmethod
    def peak_rate(config: WindowConfig, epochs: float) -> float:
        """Return the highest learning rate of so many epochs."""
        return 1e-2 * min(1.0, math.sqrt(512 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the dropout to begin and to end so many epochs with."""
        return 0.05, min(0.4, 0.05 + 0.02 * epochs)

    @staticmethod
    def probe(config: WindowConfig, batch: int) -> Callable[[], Tensor]:
        """Return what runs the hidden layer over some windows."""
        inputs = torch.zeros(16 * batch, (config.order - 1) * config.embed)
        weight = torch.zeros(config.hidden, inputs.shape[1], requires_grad=True)
        return lambda: F.linear(inputs, weight).tanh()

    def _head(self, outputs: Tensor) -> Tensor:
        weight, bias = self.parameter("head.weight"), self.parameter("head.bias")
        return F.linear(outputs, weight, bias)
