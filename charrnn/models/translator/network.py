"""The trainable twin of `model.py`, with the same parameters and with gradients.

Shape letters: B batch, T time, S source time, V vocabulary, E embedding, H hidden, D
output of the encoder, A keys.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from charrnn.models import ATTENTIONS, CELLS
from charrnn.models.attention import Attention
from charrnn.models.cells import Cell
from charrnn.models.encoder.network import Encoder
from charrnn.models.layers import TORCH, Layer, LayerState, Masks
from charrnn.models.network import ConditionalNetwork, Embedding, Linear
from charrnn.models.recurrent.steps import NORM_EPSILON
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.model import (
    DECODER_LAYERS,
    LEAST_PROBABILITY,
    parameter_shapes,
)
from charrnn.tokenizers.base import Ids

#: The largest array of additive attention, (B, T, S, H), in numbers
MOST_SCORED: Final = 1 << 26


class TranslatorNetwork(ConditionalNetwork):
    """A translator that can be trained."""

    family = "translator"
    config: TranslatorConfig
    head: Linear
    copies: Tensor
    parameter_shapes = staticmethod(parameter_shapes)

    def __init__(self, config: TranslatorConfig) -> None:
        super().__init__()
        self.config = config
        cell: type[Cell] = CELLS[config.cell]
        self._states = cell.states
        self._attention: type[Attention] = ATTENTIONS[config.attention]
        V, E, H, depth = config.vocab_size, config.embed, config.hidden, config.layers
        self.source_embedding = Embedding(config.source_size, E)
        self.encoder = Encoder(config.cell, E, H, depth, config.one_way, config.norm)
        D = self.encoder.width
        self.bridge = Linear(D, DECODER_LAYERS * self._states * H)
        self.embedding = Embedding(V, E)
        self.decoder = nn.ModuleList(Layer(cell, width, H) for width in (E, H + D))
        count = DECODER_LAYERS if config.norm else 0
        self.norms = nn.ModuleList(nn.LayerNorm(H, NORM_EPSILON) for _ in range(count))
        self.attention = nn.ParameterDict(
            {n: torch.empty(x) for n, x in self._attention.shapes(H, D).items()}
        )
        self.read_out = Linear(H + D, H)
        self.head = Linear(H, V)
        if config.copy:
            self.gate = Linear(H, 1)
        copies = torch.tensor(config.copied_as)
        self.register_buffer("copies", copies, persistent=False)

    def read(self, source: Ids, lengths: Ids, masks: Masks = None) -> LayerState:
        """Return the state before the first output token."""
        device = self.head.weight.device
        tokens = torch.from_numpy(source).to(device)
        counts = torch.from_numpy(lengths).to(device)
        inputs = self.source_embedding(tokens)
        if masks is not None:
            inputs = inputs * masks[0]
        depth = self.config.layers
        own = None if masks is None else masks[1 : depth + 1]
        outputs, summary = self.encoder(inputs, counts, own)
        bridge = self.bridge(summary).tanh().float()
        state = bridge.chunk(DECODER_LAYERS * self._states, dim=1)
        by_row = outputs.swapaxes(0, 1).contiguous()
        memory, read = self._attention.memory(by_row, summary, counts)
        keys = self._attention.keys(memory, self.config.hidden, self._weights)
        copies = (self.copies[tokens.T],) if self.config.copy else ()
        return (*(x.contiguous() for x in state), memory, keys, read, *copies)

    def forward(
        self, tokens: Tensor, state: LayerState, masks: Masks = None
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the new state."""
        first = self._states
        memory, keys, lengths = state[2 * first : 2 * first + 3]
        inputs = self.embedding(tokens)
        own = [None] * 3 if masks is None else masks[-3:]
        if own[0] is not None:
            inputs = inputs * own[0]
        queries, after = self._run(0, inputs, state[:first], own[1])
        scores = self._scores(queries.swapaxes(0, 1), keys)
        weights = _softmax(scores.float(), lengths)  # (B, T, S)
        context = (weights.to(memory.dtype) @ memory).swapaxes(0, 1)
        inputs = torch.cat([queries, context], dim=-1)
        outputs, upper = self._run(1, inputs, state[first : 2 * first], own[2])
        outputs = outputs + queries
        read = self.read_out(torch.cat([outputs, context], dim=-1)).tanh()
        logits = self._logits(read)
        if self.config.copy:
            gate = self.gate(read).float().sigmoid()
            logits = _copy_scores(logits, gate, weights, state[-1])
        return logits, (*after, *upper, *state[2 * first :])

    @property
    def reader(self) -> tuple[Embedding, Encoder]:
        """The embedding of input tokens, and the encoder that reads them."""
        return self.source_embedding, self.encoder

    @property
    def masked(self) -> Sequence[int]:
        """The widths of the outputs that dropout masks.

        These are the outputs of the input embedding, the encoder's layers, the output
        embedding and the decoder's layers.
        """
        E, decoder = self.config.embed, [self.config.hidden] * DECODER_LAYERS
        return [E, *self.encoder.masked, E, *decoder]

    def initial_values(
        self, name: str, shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        """Return the initial values of a parameter."""
        # both embeddings have the same initial distribution
        name = name.removeprefix("source_")
        return super().initial_values(name, shape, generator)

    @property
    def _weights(self) -> Mapping[str, Tensor]:
        return dict(self.attention.items())

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the scores (B, T, S) of keys (B, S, A) for queries (B, T, H).

        For long texts, they are computed step by step, and again for the gradient.
        """
        steps = max(1, MOST_SCORED // max(1, keys.numel()))

        def scores(some: Tensor) -> Tensor:
            found: Tensor = self._attention.scores(TORCH, some, keys, self._weights)
            return found

        if steps >= queries.shape[1]:
            return scores(queries)
        parts = torch.split(queries, steps, dim=1)
        found = [checkpoint(scores, part, use_reentrant=False) for part in parts]
        return torch.cat(found, dim=1)

    def _run(
        self, k: int, inputs: Tensor, state: LayerState, mask: Tensor | None
    ) -> tuple[Tensor, LayerState]:
        """Return the normalized, masked outputs (T, B, H) of a layer, and its state."""
        outputs, after = self.decoder[k](inputs, state)
        if self.config.norm:
            outputs = self.norms[k](outputs.float())
        if mask is not None:
            outputs = outputs * mask
        return outputs, tuple(array.float() for array in after)


def _softmax(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the softmax (B, T, S) over the first `lengths` positions of each row."""
    places = torch.arange(scores.shape[-1], device=scores.device)
    is_padding = places >= lengths[:, None, None]
    return scores.masked_fill(is_padding, -torch.inf).softmax(dim=-1)


def _copy_scores(
    logits: Tensor, gate: Tensor, weights: Tensor, copies: Tensor
) -> Tensor:
    """Return ln p (T, B, V) as in `model.copy_scores`.

    logits: (T, B, V). gate: (T, B, 1). weights: (B, T, S). copies: (B, S).
    """
    weights = weights.swapaxes(0, 1)
    can_copy = copies > 0
    copied = weights * can_copy * (1 - gate)
    written = (weights * torch.where(can_copy, gate, 1)).sum(dim=-1, keepdim=True)
    places = copies.expand_as(copied)
    mass = torch.zeros_like(logits, dtype=torch.float32)
    mass = mass.scatter_add(-1, places, copied)
    # the gradient of the logarithm would be infinite at 0
    mass, written = mass.clamp(LEAST_PROBABILITY), written.clamp(LEAST_PROBABILITY)
    return torch.logaddexp(written.log() + logits.log_softmax(-1), mass.log())
