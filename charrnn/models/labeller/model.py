r"""Classifiers and taggers, for inference.

A classifier reads the tokens of an input with an encoder, in both directions. It
predicts a label from a summary of the outputs y_1 ... y_n (see encoder/model.py):

      label                          label
        |                              |
      softmax                        softmax            p = softmax(head(summary))
        |                              |
    [h_n; g_1]                 mean or max over t       the last state of each
     /      \                 /   |   |   |   \         direction, or pooling
    y_1 ... y_n              y_1  y_2 ... y_{n-1} y_n
     |       |                |    |       |       |
    x_1 ... x_n              x_1  x_2 ... x_{n-1} x_n

A tagger predicts a label from every output, one for each word:

    label_1  label_2  label_3
       |        |        |
    softmax  softmax  softmax         p_t = softmax(head(y_t))
       |        |        |
      y_1      y_2      y_3           the outputs of an encoder of words
       |        |        |
      x_1      x_2      x_3           x = [summary of the letters; vector of the word]
     / | \    / | \    / | \
    t h e    c a t    s a t           the letters, read by another encoder

Each known word has its own vector; all other words share one vector, and differ only in
their letters. A classifier of long texts can also read words in this way. With a CRF,
or if labels mark spans, the labels form a chain (see chains.py).

Labels are the tokens of a language model; the boundary follows the last label.

The parameters:

    embedding.weight (X, E)                      tokens or letters
    letters.layers.K.weight_ih, ...              the encoder of letters
    words.weight (W+1, F)                        row 0: the unknown words
    words.hashes (W,) int64                      the known words, sorted
    encoder.layers.K.weight_ih, ...              see encoder/model.py
    head.weight (V, D), head.bias (V,)
    transitions.weight (V, V)                    of a CRF

Shape letters: B batch, S source time, T words, N distinct words, V labels, X source
vocabulary, E embedding, F word vector, D outputs of the encoder.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np

from charrnn.models.base import (
    Floats,
    Reals,
    State,
    Tensors,
    Tokens,
    float_tensors,
)
from charrnn.models.encoder.model import Encoder, encoder_shapes
from charrnn.models.labeller import chains
from charrnn.models.labeller.chains import LabelModel
from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.spans import legal_transitions
from charrnn.models.labeller.words import Words, split_words, vector_rows
from charrnn.tokenizers.base import Ids
from charrnn.tokenizers.char import UNKNOWN

HASHES = "words.hashes"


def parameter_shapes(config: LabellerConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter by name, except the hashes of words."""
    V, inputs = config.vocab_size, config.embed
    shapes: dict[str, tuple[int, ...]] = {}
    shapes["embedding.weight"] = (config.source_size, config.embed)
    if config.reads_words:
        shapes |= encoder_shapes(
            "letters", config.cell, inputs, config.letter_hidden, 1, False, config.norm
        )
        inputs = 2 * config.letter_hidden
        if config.words:
            shapes["words.weight"] = (config.words + 1, config.word_embed)
            inputs += config.word_embed
    hidden, layers = config.hidden, config.layers
    shapes |= encoder_shapes(
        "encoder", config.cell, inputs, hidden, layers, config.one_way, config.norm
    )
    shapes["head.weight"] = (V, hidden if config.one_way else 2 * hidden)
    shapes["head.bias"] = (V,)
    if config.crf:
        shapes["transitions.weight"] = (V, V)
    return shapes


class LabellerModel(LabelModel):
    """A trained classifier or tagger that runs in NumPy, in float32."""

    family = "labeller"
    config_type = LabellerConfig
    config: LabellerConfig

    def __init__(self, config: LabellerConfig, tensors: Tensors) -> None:
        hashes = {name: x for name, x in tensors.items() if name == HASHES}
        rest = {name: x for name, x in tensors.items() if name != HASHES}
        floats = float_tensors(config, rest, parameter_shapes)
        _check_hashes(config, hashes)
        super().__init__(config, floats | hashes)
        cell = config.cell
        self._encoder = Encoder("encoder", cell, config.layers, self._tensors)
        if config.reads_words:
            self._letters = Encoder("letters", cell, 1, self._tensors)
        scale = np.float32(1 / config.temperature)
        self._head = self._tensors["head.weight"].T * scale
        self._bias = self._tensors["head.bias"] * scale
        learned = floats.get("transitions.weight")
        learned = None if learned is None else learned * scale
        self._transitions = transitions(config, learned)

    @property
    def parameters(self) -> int:
        """Number of parameters, not counting the hashes of words."""
        return super().parameters - self.config.words

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) after the labels, and the new state."""
        logits, after = super().forward(tokens, state)
        if self._transitions is not None:
            logits += self._transitions[tokens]
        return logits, after

    def tempered(self, temperature: float) -> Self:
        """Return the same model with another temperature, which divides the logits."""
        config = replace(self.config, temperature=temperature)
        return type(self)(config, self._tensors)

    def potentials(self, source: Tokens, lengths: Tokens) -> Floats:
        """Return the potentials (B, T+1, V), with a boundary after the last label."""
        config, w = self.config, self._tensors
        if config.reads_words:
            words = split_words(source, lengths, config.blank)
            vectors, index, lengths = self._vectors(words), words.index, words.counts
        else:
            vectors, index = w["embedding.weight"], np.asarray(source.T, np.int64)
        outputs, summary = self._encoder.look_up(vectors, index, lengths)
        if not config.per_word:
            outputs = read_out(config.read_out, outputs, summary, lengths)[None]
            lengths = np.ones_like(lengths)
        T, B, D = outputs.shape
        emissions = outputs.reshape(T * B, D) @ self._head
        emissions += self._bias
        if config.per_word:
            emissions[:, UNKNOWN] = chains.UNLIKELY
        emissions = chains.with_end(emissions.reshape(T, B, -1), lengths)
        if self._transitions is not None:
            chains.add_messages(emissions, self._transitions)
        return np.ascontiguousarray(emissions.swapaxes(0, 1))

    def search(self, potentials: Floats, n: int) -> tuple[Ids, Reals]:
        """Return the n best legal sequences."""
        return search(self.config, potentials, self._transitions, n)

    def _vectors(self, words: Words) -> Floats:
        """Return the encoder's input for each distinct word, (N, I)."""
        w = self._tensors
        found = []
        for group in words.groups:
            sizes = words.lengths[group]
            letters = words.letters[: sizes[-1], group]
            _, summary = self._letters.look_up(w["embedding.weight"], letters, sizes)
            found.append(summary)
        summaries = np.concatenate(found)
        if not self.config.words:
            return summaries
        rows = vector_rows(words.hashes, w[HASHES])
        return np.concatenate([summaries, w["words.weight"][rows]], axis=1)


def search(
    config: LabellerConfig, potentials: Floats, transitions: Floats | None, n: int
) -> tuple[Ids, Reals]:
    """Return the n best label sequences, as `chains.best_labels` does.

    Sequences with the unknown label or illegal transitions are excluded.
    """
    if config.per_word:
        potentials = potentials.copy()
        potentials[..., UNKNOWN] = chains.IMPOSSIBLE
    if transitions is None:
        return chains.best_labels(potentials, n)
    legal = legal_transitions(config.spans or [""] * config.vocab_size)
    return chains.best_chains(potentials, transitions, legal, n)


def read_out(kind: str, outputs: Floats, summary: Floats, lengths: Tokens) -> Floats:
    """Return one vector (B, D) for the outputs (T, B, D), which are 0 at the padding.

    kind: "last", "mean" or "max".
    """
    if kind == "last":
        return summary
    if kind == "mean":
        return np.asarray(outputs.sum(axis=0) / lengths[:, None].astype(np.float32))
    is_padding = np.arange(len(outputs))[:, None] >= lengths
    return np.asarray(np.where(is_padding[..., None], -np.inf, outputs).max(axis=0))


def transitions(config: LabellerConfig, learned: Floats | None) -> Floats | None:
    """Return the transitions A (V, V), or None if labels are independent."""
    if not config.is_chain:
        return None
    V = config.vocab_size
    found = np.zeros((V, V), np.float32) if learned is None else learned.copy()
    if config.spans:
        found[~legal_transitions(config.spans)] += chains.UNLIKELY
    return found


def _check_hashes(config: LabellerConfig, tensors: Mapping[str, Any]) -> None:
    """Raise ValueError unless there is a sorted hash for each known word."""
    hashes = tensors.get(HASHES, np.empty(0, np.int64))
    if hashes.dtype != np.int64 or hashes.shape != (config.words,):
        raise ValueError(f"{HASHES} has type {hashes.dtype}, shape {hashes.shape}")
    # comparisons are safe, but the difference of two hashes can overflow
    is_sorted = bool((hashes[1:] > hashes[:-1]).all())
    if (HASHES in tensors) != bool(config.words) or not is_sorted:
        raise ValueError(f"{HASHES} are unsorted or unexpected")
