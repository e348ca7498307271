"""Attention: how much weight a decoder gives to each source position at each step.

    e_{t,s} = score(q_t, m_s)                        for every source position s
    a_{t,s} = exp(e_{t,s}) / sum_r exp(e_{t,r})      the weights, which sum to 1
    c_t     = sum_s a_{t,s} m_s                      the context

The query q_t comes from the decoder. The memory m_1 ... m_S consists of the outputs of
the encoder. A key is the part of a score that depends only on m_s, so keys are computed
only once per source.

               a_{t,1}  a_{t,2}  a_{t,3}       weights
     q_t -------->|------->|------->|
                 m_1      m_2      m_3         memory
                  '--------+--------'
                          c_t                  context

Inference in NumPy and training in torch use the same equations, as in `cells.py`.

Shape letters: B batch, T target time, S source time, H hidden, D memory, A keys.
"""

from abc import ABC, abstractmethod

import numpy as np

from charrnn.models.base import Floats, Tokens
from charrnn.models.cells import Array, Functions, Weights, split

Shapes = dict[str, tuple[int, ...]]


class Attention(ABC):
    """A way to score source positions. Like a `Cell`, a subclass has no data."""

    @classmethod
    def shapes(cls, hidden: int, memory: int) -> Shapes:
        """Return the shape of every parameter by name, for queries of size `hidden`."""
        return {}

    @classmethod
    def memory(
        cls, outputs: Array, summary: Array, lengths: Array
    ) -> tuple[Array, Array]:
        """Return the memory (B, S, D) and the number of positions in each row, (B,).

        outputs: the encoder's outputs, (B, S, D). summary: its summary, (B, D).
        lengths: the lengths of the inputs, (B,).
        """
        return outputs, lengths

    @classmethod
    @abstractmethod
    def keys(cls, memory: Array, hidden: int, w: Weights) -> Array:
        """Return the keys (B, S, A) of a memory (B, S, D)."""

    @classmethod
    def scores(cls, xp: Functions, queries: Array, keys: Array, w: Weights) -> Array:
        """Return the scores (B, T, S) of keys (B, S, A) for queries (B, T, H)."""
        return queries @ keys.swapaxes(1, 2)


class NoAttention(Attention):
    """The context is the same at every step: the encoder's summary.

    This is attention to a single position, whose weight is always 1.
    """

    @classmethod
    def memory(
        cls, outputs: Array, summary: Array, lengths: Array
    ) -> tuple[Array, Array]:
        """Return the summary as a memory of one position."""
        return summary[:, None], lengths * 0 + 1

    @classmethod
    def keys(cls, memory: Array, hidden: int, w: Weights) -> Array:
        """Return keys of size 0."""
        return memory[..., :0]

    @classmethod
    def scores(cls, xp: Functions, queries: Array, keys: Array, w: Weights) -> Array:
        """Return zeros."""
        return queries[..., :0] @ keys.swapaxes(1, 2)


class DotAttention(Attention):
    """score(q, m) = q . m (Luong et al. 2015).

    With an encoder that reads in both directions, m is the sum of the two outputs.
    """

    @classmethod
    def keys(cls, memory: Array, hidden: int, w: Weights) -> Array:
        """Return the sum over the directions."""
        return sum(split(memory, memory.shape[-1] // hidden))


class GeneralAttention(Attention):
    """score(q, m) = q . K m (Luong et al. 2015)."""

    @classmethod
    def shapes(cls, hidden: int, memory: int) -> Shapes:
        """Return the shape of K."""
        return {"weight_key": (hidden, memory)}

    @classmethod
    def keys(cls, memory: Array, hidden: int, w: Weights) -> Array:
        """Return K m."""
        return memory @ w["weight_key"].T


class AdditiveAttention(Attention):
    """score(q, m) = v . tanh(Q q + K m + b) (Bahdanau et al. 2015)."""

    @classmethod
    def shapes(cls, hidden: int, memory: int) -> Shapes:
        """Return the shapes of K, b, Q and v."""
        return {
            "weight_key": (hidden, memory),
            "bias_key": (hidden,),
            "weight_query": (hidden, hidden),
            "weight_score": (1, hidden),
        }

    @classmethod
    def keys(cls, memory: Array, hidden: int, w: Weights) -> Array:
        """Return K m + b."""
        return memory @ w["weight_key"].T + w["bias_key"]

    @classmethod
    def scores(cls, xp: Functions, queries: Array, keys: Array, w: Weights) -> Array:
        """Return the scores; this takes an array (B, T, S, H)."""
        queries = queries @ w["weight_query"].T
        return xp.tanh(queries[:, :, None] + keys[:, None]) @ w["weight_score"][0]


def attention_weights(scores: Floats, lengths: Tokens) -> Floats:
    """Return the softmax (B, T, S) over the first `lengths` (B,) positions of each row.

    The weights of the other positions are exactly 0.
    """
    is_padding = np.arange(scores.shape[-1]) >= lengths[:, None, None]
    scores = np.where(is_padding, np.float32(-np.inf), scores)
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=-1, keepdims=True)
    return scores
