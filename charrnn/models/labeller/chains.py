"""Chains of labels: exact conditional probabilities and best sequences.

A conditional random field (Lafferty et al. 2001) scores a sequence of labels y:

    s(y) = sum over t of A[y_{t-1}, y_t] + e_t(y_t)          p(y) = exp(s(y)) / Z

Here e_t are the network's scores for word t, and A are the scores of transitions. Both
ends are boundaries: y_0 and y_{n+1}.

    boundary --A-- y_1 --A-- y_2 --A-- y_3 --A-- boundary
                    |         |         |
                   e_1       e_2       e_3

p is also a product of conditional probabilities from left to right, as in a language
model. beta_t(j) sums over all sequences that can follow label j at word t:

    beta_t(j)      = logsumexp over k of A[j, k] + e_{t+1}(k) + beta_{t+1}(k)
    p(y_t=j | y_{t-1}=i) = softmax over j of A[i, j] + e_t(j) + beta_t(j)

The cross-entropy of these probabilities is therefore exactly -ln p(y), and they are
enough for sampling, scoring and searching. e_t(j) + beta_t(j) is called the potential
of j at t.

Shape letters: B batch, T words, V labels.
"""

from abc import abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt

from charrnn.models.base import (
    ConditionalModel,
    ConfiguredModel,
    Floats,
    Reals,
    State,
    Tokens,
)
from charrnn.tokenizers.base import BOUNDARY, Ids

IMPOSSIBLE: Final = -1e9  #: a logit whose probability is 0
#: The logit of a label that was not in the training text, or of an illegal transition.
#: The model should predict neither, but if data contains one, its score stays finite.
UNLIKELY: Final = -50.0
TINY: Final = 1e-37  #: prevents the logarithm of 0

Best = list[tuple[Ids, float]]


class LabelModel(ConfiguredModel, ConditionalModel):
    """Predicts labels; computes the potentials of all labels when it reads an input.

    The state consists of the potentials (B, T+1, V) and the position (B,).
    """

    def read(self, source: Tokens, lengths: Tokens) -> State:
        """Return the state before the first label."""
        return self.potentials(source, lengths), np.zeros(len(source), np.int64)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) after the labels, and the new state."""
        potentials, position = state
        B, T = tokens.shape
        last = potentials.shape[1] - 1
        places = np.minimum(position[:, None] + np.arange(T), last)
        return potentials[np.arange(B)[:, None], places], (potentials, position + T)

    def best(self, source: Tokens, lengths: Tokens, n: int = 1) -> list[Best]:
        """Return the n best outputs of each row, as ids with their nats, best first.

        source, lengths: as for `read`. An output with illegal transitions is never
        among them.
        """
        return listed(*self.search(self.potentials(source, lengths), n))

    @abstractmethod
    def potentials(self, source: Tokens, lengths: Tokens) -> Floats:
        """Return the potentials (B, T+1, V), with a boundary after the last label."""

    def search(self, potentials: Floats, n: int) -> tuple[Ids, Reals]:
        """Return the n best sequences, as `best_labels` does."""
        return best_labels(potentials, n)


def with_end(emissions: Floats, counts: Tokens) -> Floats:
    """Return emissions (T+1, B, V) that allow only the boundary after a row's end."""
    T, B, V = emissions.shape
    closed = np.empty((T + 1, B, V), np.float32)
    closed[:T] = emissions
    closed[:, :, BOUNDARY] = IMPOSSIBLE
    end = np.full(V, IMPOSSIBLE, np.float32)
    end[BOUNDARY] = 0
    closed[np.arange(T + 1)[:, None] >= counts] = end
    return closed


def add_messages(emissions: Floats, transitions: Floats) -> None:
    """Replace emissions (T+1, B, V), which end with boundaries, with potentials.

    The potentials of each t are shifted so that their maximum is 0; probabilities stay
    the same.
    """
    factors = np.exp(transitions.T)
    for t in range(len(emissions) - 2, -1, -1):
        sums = np.exp(emissions[t + 1]) @ factors
        emissions[t] += np.log(np.maximum(sums, TINY))
        emissions[t] -= emissions[t].max(axis=-1, keepdims=True)


def best_labels(potentials: Floats, n: int) -> tuple[Ids, Reals]:
    """Return the n best sequences of independent labels, best first.

    potentials: (B, T+1, V). Returns the labels (B, n, T+1) with boundaries at the end,
    and the log-probabilities (B, n), IMPOSSIBLE where there are fewer than n sequences.
    """
    log_p = _log_softmax(potentials)
    B, T, _ = log_p.shape
    width = min(n, log_p.shape[2])
    order = _top(log_p, width)
    log_p = np.take_along_axis(log_p, order, -1)
    scores, parents = np.zeros((B, 1)), []
    for t in range(T):
        sums = (scores[:, :, None] + log_p[:, t, None, :]).reshape(B, -1)
        top = _top(sums, n)
        scores = np.take_along_axis(sums, top, -1)
        parents.append(top)
    slots = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    labels = np.empty((B, scores.shape[1], T), np.int64)
    for t in range(T - 1, -1, -1):
        chosen = np.take_along_axis(parents[t], slots, -1)
        slots, which = chosen // width, chosen % width
        labels[:, :, t] = np.take_along_axis(order[:, t], which, -1)
    return labels, scores


def best_chains(
    potentials: Floats, transitions: Floats, legal: npt.NDArray[np.bool_], n: int
) -> tuple[Ids, Reals]:
    """Return the n best legal sequences of a chain, as `best_labels` does.

    This is the Viterbi algorithm with the n best prefixes kept for each label.
    """
    B, T, V = potentials.shape
    barred = np.where(legal, 0, IMPOSSIBLE)
    factors = np.exp(transitions.T)
    scores = np.full((B, V, 1), IMPOSSIBLE, np.float64)
    scores[:, BOUNDARY] = 0
    parents = []
    for t in range(T):
        shifted = potentials[:, t] - potentials[:, t].max(axis=-1, keepdims=True)
        norms = np.log(np.maximum(np.exp(shifted) @ factors, TINY))  # (B, V)
        steps = transitions + barred - norms[:, :, None] + shifted[:, None, :]
        sums = scores[:, :, :, None] + steps[:, :, None, :]  # (B, V, n, V)
        flat = sums.reshape(B, -1, V).swapaxes(1, 2)
        top = _top(flat, n)
        scores = np.maximum(np.take_along_axis(flat, top, -1), IMPOSSIBLE)
        parents.append((top, sums.shape[2]))
    labels = np.full((B, scores.shape[2], T), BOUNDARY)
    ends = scores[:, BOUNDARY]
    slots = np.broadcast_to(np.arange(ends.shape[1]), ends.shape)
    now = np.full_like(slots, BOUNDARY)
    rows = np.arange(B)[:, None]
    for t in range(T - 1, -1, -1):
        labels[:, :, t] = now
        top, width = parents[t]
        chosen = top[rows, now, slots]
        now, slots = chosen // width, chosen % width
    return labels, ends


def _top(scores: Reals, n: int) -> Ids:
    """Return the indices of the n highest scores on the last axis, best first."""
    if n == 1:
        return np.asarray(scores.argmax(axis=-1, keepdims=True))
    return np.argsort(-scores, axis=-1, kind="stable")[..., :n]


def listed(labels: Ids, scores: Reals) -> list[Best]:
    """Return each row's possible sequences without boundaries, and their nats.

    labels, scores: as `best_labels` returns them.
    """
    counts = (labels[:, 0] != BOUNDARY).sum(axis=1)
    is_possible = scores > IMPOSSIBLE / 2
    found = zip(labels, scores.tolist(), is_possible.sum(axis=1), counts, strict=True)
    return [
        [(ids[:count], -nats) for ids, nats in zip(rows[:n], log_p[:n], strict=True)]
        for rows, log_p, n, count in found
    ]


def _log_softmax(potentials: Floats) -> Reals:
    shifted = potentials - potentials.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted.astype(np.float64) - np.log(total))
