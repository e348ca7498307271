"""The trainable twin of `models/recurrent.py`: the same parameters, with gradients.

Shape letters: B batch, T time, V vocabulary, E embedding, H hidden.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from charrnn.data.batches import are_short
from charrnn.data.store import TokenStore
from charrnn.models import CELLS
from charrnn.models.layers import LayerState, run_layer
from charrnn.models.network import Network
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import NORM_EPSILON, parameter_shapes
from charrnn.training.config import TrainConfig

SHORT_TIME_S: Final = 120.0  #: below it more steps of short windows
LONG_TIME_S: Final = 900.0  #: from there a network twice as wide pays
PROBE_STEPS: Final = 16


class RecurrentNetwork(Network):
    """A recurrent language model that can be trained."""

    family = "recurrent"
    config: RecurrentConfig
    parameter_shapes = staticmethod(parameter_shapes)

    def __init__(self, config: RecurrentConfig, generator: torch.Generator) -> None:
        super().__init__(config, generator)
        self._cell = CELLS[config.cell]

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

    @classmethod
    def initial_values(
        cls,
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
            return torch.cat(
                [nn.init.orthogonal_(g, generator=generator) for g in gates]
            )
        if kind == "bias_ih" and config.cell.startswith("lstm"):
            # a forget gate that is open at first (Jozefowicz et al. 2015)
            bias = torch.zeros(shape)
            bias[config.hidden : 2 * config.hidden] = 1
            return bias
        if name == "embedding.weight" and config.tie:
            # it is the output matrix too, whose rows should start small
            spread = 1 / math.sqrt(config.embed)
            return torch.empty(shape).normal_(0, spread, generator=generator)
        return super().initial_values(name, shape, config, generator)

    @property
    def masked(self) -> Sequence[int]:
        """The widths of the outputs that dropout masks: of every layer."""
        return [self.config.hidden] * self.config.layers

    @classmethod
    def product_count(cls, config: RecurrentConfig) -> int:
        """Return the number of weights that a token is multiplied with."""
        looked_up = 0 if config.tie else config.vocab_size * config.embed
        return cls.parameter_count(config) - looked_up

    @staticmethod
    def choose(
        store: TokenStore,
        given: Mapping[str, Any],
        training: Mapping[str, Any],
        *,
        device: str,
    ) -> tuple[RecurrentConfig, list[str]]:
        """Complete a config by the text and the time; return also why, in phrases."""
        tokens = store.train.targets
        # an embedding is the wider the more there is to tell apart
        words = store.has_long_tokens
        embed = 256 if words else 64 if store.vocab_size <= 128 else 128
        hidden = _hidden(store, training, device)
        sizes = {"hidden": hidden, "embed": embed, "tie": words, **given}
        why = [f"hidden {hidden}: {tokens:,} tokens to train on"]
        config = RecurrentConfig(**{**sizes, "vocab_size": store.vocab_size})
        return config, [] if "hidden" in given else why

    @staticmethod
    def choose_windows(store: TokenStore, given: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens a step reads: windows of `bptt`, `batch` of them."""
        has_short_time = 0 < given.get("time_s", 0) < SHORT_TIME_S
        # the same text in fewer tokens
        is_short = has_short_time or store.has_long_tokens
        bptt = given.get("bptt", 64 if is_short else 128)
        # fewer streams when the text is too short to fill them
        batch = min(32, max(1, store.train.targets // (4 * bptt)))
        stages = 1 if "bptt" in given or has_short_time else 2
        return {"batch": batch, "bptt": bptt, "stages": stages}

    @staticmethod
    def peak_rate(config: RecurrentConfig, epochs: float) -> float:
        """Return the highest learning rate of so many epochs."""
        # what is read but once or twice is learned in large steps
        peak = 8e-3 if epochs < 3 else 5e-3
        return peak * min(1.0, math.sqrt(512 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the dropout to begin and to end so many epochs with."""
        return 0.1, min(0.6, 0.1 + 0.05 * epochs)

    @staticmethod
    def probe(config: RecurrentConfig, batch: int) -> Callable[[], Tensor]:
        """Return what runs a layer over a few time steps."""
        cell, H = CELLS[config.cell], config.hidden
        shapes = cell.shapes(H, H)
        weights = {n: torch.zeros(x, requires_grad=True) for n, x in shapes.items()}
        inputs = torch.zeros(PROBE_STEPS, batch, H)
        state = (torch.zeros(batch, H),) * cell.states
        return lambda: run_layer(cell, inputs, state, weights)[0]

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

    def _head(self, outputs: Tensor) -> Tensor:
        bias = self.parameter("head.bias")
        if not self.config.tie:
            return F.linear(outputs, self.parameter("head.weight"), bias)
        if "projection.weight" in self._names:
            outputs = F.linear(outputs, self.parameter("projection.weight"))
        return F.linear(outputs, self.parameter("embedding.weight"), bias)


def _hidden(store: TokenStore, training: Mapping[str, Any], device: str) -> int:
    """Return how many units suit the text, and the time to learn it."""
    tokens = store.train.targets
    has_short_documents = are_short(store.train, TrainConfig.bptt)
    if tokens < 100_000 or (tokens < 1_000_000 and has_short_documents):
        return 256
    if tokens < 300_000:
        return 384
    if device == "cpu":
        if training.get("time_s", 0) >= LONG_TIME_S:
            return 1024
        # with an 8-gram 448 units score 1.374 nats on tinyshakespeare and 512 1.373,
        # but write 8,300 characters a second and not 7,000
        return 448 if training.get("with_ngram") else 512
    return 512 if tokens < 1_000_000 else 768
