"""Fit the weights of several scores per label so that their sum predicts well.

The log-probability of a label is the weighted sum of its K scores, normalized.
Newton's method finds the weights that maximize the likelihood of the right labels; the
problem is convex. A small penalty bounds the weights if there are few examples.

Letters: N examples, K scores, L labels.
"""

from typing import Final

import numpy as np

from charrnn.models.base import Reals
from charrnn.tokenizers.base import Ids

_STEPS: Final = 50
_HALVINGS: Final = 20
_PRECISION: Final = 1e-7  #: nats per example


def fit_weights(scores: Reals, labels: Reals | Ids) -> tuple[Reals, float]:
    """Return the weights (K,), and the nats per example plus the penalty.

    scores: (N, K, L). labels: (N, L), how often each example had each label.
    """
    K, sizes = scores.shape[1], labels.sum(axis=-1, keepdims=True)
    total = sizes.sum()
    # only the differences between labels matter
    scores = scores - scores.mean(axis=-1, keepdims=True)
    scales = np.sqrt(np.square(scores).mean(axis=(0, 2))) + 1e-9
    scores /= scales[:, None]
    right = np.einsum("nkl,nl->k", scores, labels) / total
    weights = np.zeros(K)
    loss, p = _predict(scores, labels, weights)
    for _ in range(_STEPS):
        means = np.einsum("nkl,nl->nk", scores, p)
        gradient = ((sizes * means).sum(axis=0) + weights) / total - right
        weighted = scores * (sizes * p)[:, None]
        squares = np.tensordot(weighted, scores, ([0, 2], [0, 2]))
        curvature = (squares - (sizes * means).T @ means + np.eye(K)) / total
        step = np.linalg.solve(curvature, gradient)
        for _ in range(_HALVINGS):
            new_loss, p = _predict(scores, labels, weights - step)
            if new_loss < loss:
                break
            step /= 2
        if not loss - new_loss > _PRECISION:
            break
        weights, loss = weights - step, new_loss
    return weights / scales, loss


def log_probabilities(scores: Reals, weights: Reals) -> Reals:
    """Return the log-probabilities (N, L) that weights give to scores (N, K, L)."""
    sums = np.einsum("nkl,k->nl", scores, weights)
    sums -= sums.max(axis=-1, keepdims=True)
    sums -= np.log(np.exp(sums).sum(axis=-1, keepdims=True))
    return np.asarray(sums)


def _predict(scores: Reals, labels: Reals | Ids, weights: Reals) -> tuple[float, Reals]:
    """Return the nats per example plus the penalty, and the probabilities (N, L)."""
    sums = log_probabilities(scores, weights)
    nats = -(labels * sums).sum() + weights @ weights / 2
    return float(nats / labels.sum()), np.exp(sums)
