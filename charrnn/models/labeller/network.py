"""The trainable twin of `model.py`, with the same parameters and with gradients.

Shape letters: B batch, S source time, T words, N distinct words, V labels, E embedding,
D outputs of the encoder.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.store import Part
from charrnn.models.encoder.network import Encoder
from charrnn.models.labeller import chains
from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.model import (
    HASHES,
    parameter_shapes,
    search,
    transitions,
)
from charrnn.models.labeller.words import (
    Hashes,
    Words,
    known_words,
    split_words,
    vector_rows,
)
from charrnn.models.layers import LayerState, Masks
from charrnn.models.network import ConditionalNetwork, Embedding, Linear
from charrnn.tokenizers.base import BOUNDARY, Ids
from charrnn.tokenizers.char import UNKNOWN

#: number of words dropped independently in a row; later words repeat the pattern
PLACES = 64


class WordVectors(Embedding):
    """The vectors of known words; row 0 is shared by all other words."""

    hashes: Tensor

    def __init__(self, words: int, size: int) -> None:
        super().__init__(words + 1, size)
        self.register_buffer("hashes", torch.zeros(words, dtype=torch.int64))


class LabellerNetwork(ConditionalNetwork):
    """A classifier or tagger that can be trained."""

    family = "labeller"
    config: LabellerConfig
    parameter_shapes = staticmethod(parameter_shapes)

    def __init__(self, config: LabellerConfig) -> None:
        super().__init__()
        self.config = config
        V, inputs, cell = config.vocab_size, config.embed, config.cell
        self.embedding = Embedding(config.source_size, config.embed)
        if config.reads_words:
            size = config.letter_hidden
            self.letters = Encoder(cell, inputs, size, 1, False, config.norm)
            inputs = self.letters.width
            if config.words:
                self.words = WordVectors(config.words, config.word_embed)
                inputs += config.word_embed
        self._inputs = inputs
        self.encoder = Encoder(
            cell, inputs, config.hidden, config.layers, config.one_way, config.norm
        )
        self.head = Linear(self.encoder.width, V)
        if config.crf:
            self.transitions = Embedding(V, V)
        fixed = transitions(config, None)
        penalties = None if fixed is None else torch.from_numpy(fixed)
        self._penalties: Tensor | None
        self.register_buffer("_penalties", penalties, persistent=False)

    @property
    def masked(self) -> Sequence[int]:
        """The widths of each layer's outputs, and of the first layer's inputs.

        If words have vectors, PLACES is added: there, dropout masks whole vectors.
        """
        widths = [*self.encoder.masked, self._inputs]
        return widths + [PLACES] * (self.config.words > 0)

    @property
    def reader(self) -> tuple[Embedding, Encoder]:
        """The embedding of letters or tokens, and the encoder that reads them."""
        return self.embedding, self.letters if self.config.reads_words else self.encoder

    def learn(self, part: Part) -> None:
        """Store which words are known: those that are frequent in the training inputs.

        Raises ValueError unless their number is `config.words`.
        """
        if not self.config.words or part.source is None:
            return
        hashes = known_words(part.source, self.config.blank)
        if len(hashes) != self.config.words:
            raise ValueError(f"found {len(hashes)} words, not {self.config.words}")
        self.words.hashes.copy_(torch.from_numpy(hashes))

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the parameters and hashes, as a model file stores them."""
        hashes = {HASHES: self._hashes().copy()} if self.config.words else {}
        return super().tensors() | hashes

    def read(self, source: Ids, lengths: Ids, masks: Masks = None) -> LayerState:
        """Return the potentials of all labels (B, T+1, V) and the position (B,).

        masks: the dropout masks (B, width) of `masked`.
        """
        if self.config.reads_words:
            words = split_words(source.T, lengths, self.config.blank)
            inputs, lengths = self._word_inputs(words), words.counts
        else:
            inputs = self.embedding(self._ids(source))
        if masks is not None:
            inputs = self._masked(inputs, masks[len(self.encoder.masked) :])
        counts = self._ids(lengths)
        outputs, summary = self.encoder(inputs, counts, masks)
        if not self.config.per_word:
            outputs = _read_out(self.config.read_out, outputs, summary, counts)[None]
            counts = torch.ones_like(counts)
        with torch.autocast(outputs.device.type, enabled=False):
            potentials = self._potentials(self._logits(outputs).float(), counts)
        return potentials.transpose(0, 1), torch.zeros_like(counts)

    def forward(
        self, tokens: Tensor, state: LayerState, masks: Masks = None
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after labels (T, B), and the new state."""
        potentials, position = state
        times = torch.arange(len(tokens), device=tokens.device)[:, None]
        places = (position + times).clamp(max=potentials.shape[1] - 1)
        index = places[..., None].expand(-1, -1, potentials.shape[2])
        logits = potentials.transpose(0, 1).gather(0, index)
        chain = self._chain()
        if chain is not None:
            logits = logits + F.embedding(tokens, chain)
        return logits, (potentials, position + len(tokens))

    @torch.no_grad()
    def decisions(self, logits: Tensor, state: LayerState) -> Tensor:
        """Return the most likely sequence of labels (T, B), padded with boundaries.

        In a chain, logits after the right labels do not determine this sequence, so
        only their length T is used.
        """
        chain = self._chain()
        array = None if chain is None else chain.cpu().numpy()
        labels, _ = search(self.config, state[0].cpu().numpy(), array, 1)
        found = labels[:, 0, : len(logits)].T
        return F.pad(self._ids(found), (0, 0, 0, len(logits) - len(found)))

    def initial_values(
        self, name: str, shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        """Return the initial values of a parameter."""
        if name in ("transitions.weight", "words.weight"):
            return torch.zeros(shape)
        return super().initial_values(name, shape, generator)

    def _masked(self, inputs: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """Drop some of the inputs (T, B, I), and the vectors of some words.

        If its vector is dropped, a word is read by its letters only, like an unknown
        word.
        """
        inputs = inputs * masks[0]
        if not self.config.words:
            return inputs
        size = self.config.word_embed
        letters, vectors = inputs[..., :-size], inputs[..., -size:]
        places = torch.arange(len(inputs), device=inputs.device) % PLACES
        vectors = vectors * masks[1].T[places][..., None]
        return torch.cat([letters, vectors], dim=-1)

    def _word_inputs(self, words: Words) -> Tensor:
        """Return the encoder's input for each word, (T, B, I)."""
        found = []
        for group in words.groups:
            sizes = words.lengths[group]
            letters = self._ids(words.letters[: sizes[-1], group])
            _, summary = self.letters(self.embedding(letters), self._ids(sizes))
            found.append(summary)
        vectors = torch.cat(found)
        if self.config.words:
            rows = self._ids(vector_rows(words.hashes, self._hashes()))
            vectors = torch.cat([vectors, self.words(rows)], dim=1)
        return F.embedding(self._ids(words.index), vectors)

    def _potentials(self, emissions: Tensor, counts: Tensor) -> Tensor:
        """Return the potentials (T+1, B, V), with a boundary after the last label."""
        T, _, V = emissions.shape
        labels = torch.arange(V, device=emissions.device)
        if self.config.per_word:
            emissions = emissions.masked_fill(labels == UNKNOWN, chains.UNLIKELY)
        emissions = emissions.masked_fill(labels == BOUNDARY, chains.IMPOSSIBLE)
        times = torch.arange(T + 1, device=emissions.device)[:, None]
        end = emissions.new_full((V,), chains.IMPOSSIBLE)
        end[BOUNDARY] = 0
        closed = F.pad(emissions, (0, 0, 0, 0, 0, 1))
        closed = torch.where((times >= counts)[..., None], end, closed)
        chain = self._chain()
        if chain is None:
            return closed
        factors = chain.T.exp()
        found = [closed[T]]
        for now in closed[:T].flip(0):
            sums = found[-1].exp() @ factors
            now = now + sums.clamp_min(chains.TINY).log()
            found.append(now - now.detach().amax(dim=-1, keepdim=True))
        return torch.stack(found[::-1])

    def _chain(self) -> Tensor | None:
        """Return the transitions A (V, V), or None if labels are independent."""
        if self._penalties is None or not self.config.crf:
            return self._penalties
        return self.transitions.weight + self._penalties

    def _hashes(self) -> Hashes:
        hashes: Hashes = self.words.hashes.cpu().numpy()
        return hashes

    def _ids(self, ids: Ids) -> Tensor:
        device = self.embedding.weight.device
        return torch.from_numpy(np.ascontiguousarray(ids)).to(device)


def _read_out(kind: str, outputs: Tensor, summary: Tensor, lengths: Tensor) -> Tensor:
    """Return a vector (B, D) for the outputs (T, B, D), which are 0 at the padding."""
    if kind == "last":
        return summary
    if kind == "mean":
        return outputs.sum(0) / lengths[:, None]
    times = torch.arange(len(outputs), device=outputs.device)[:, None]
    is_padding = (times >= lengths)[..., None]
    return outputs.masked_fill(is_padding, -torch.inf).amax(0)
