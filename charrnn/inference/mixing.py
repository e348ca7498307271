"""Mixture weights, fitted on held-out text.

The weights that maximize the likelihood are found by expectation-maximization
(Dempster, Laird and Rubin 1977; for language models, Jelinek and Mercer 1980). If p_mi
is the probability that member m gives to token i, each iteration computes:

    share_mi = weight_m p_mi / sum over k of weight_k p_ki       E step
    weight_m = the mean of share_mi over the tokens              M step

No iteration lowers the likelihood. The problem is concave, so every local maximum is
global. The members must not have been trained on the text: a member that has overfitted
it would get all the weight.

Shape letters: M is the number of members, N the number of tokens.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.inference.scoring import part_nats
from charrnn.models.base import LanguageModel

Reals = npt.NDArray[np.float64]

CONVERGED_NATS = 1e-6  # per token: the precision of float32 logits


class Mixing(NamedTuple):
    """The weights of the members, which sum to 1, and the nats of their mixture.

    A member with weight 0 can be left out of the mixture.
    """

    weights: tuple[float, ...]
    nats: float


def fit_weights(members: Sequence[LanguageModel], part: Part) -> Mixing:
    """Return the weights that minimize the nats of a part's targets.

    The mixture is never worse than the best member alone. Raises ValueError if there
    are no members or no targets.
    """
    if not members:
        raise ValueError("there are no members")
    return best_weights(np.array([part_nats(member, part) for member in members]))


def best_weights(nats: Reals) -> Mixing:
    """Return the best weights for `nats`, -ln p of token n under member m, (M, N)."""
    *_, last = improving_weights(nats)
    alone = zip(np.eye(len(nats)).tolist(), nats.sum(axis=1).tolist(), strict=True)
    # EM reaches a weight of 1 only in the limit, so also try each member alone
    candidates = [last, *(Mixing(tuple(weights), sum_) for weights, sum_ in alone)]
    return min(candidates, key=lambda mixing: mixing.nats)


def improving_weights(nats: Reals) -> Iterator[Mixing]:
    """Yield equal weights, then the weights after each step, until they converge.

    nats: (M, N), as in `best_weights`. A step multiplies weight_m by gain_m, the mean
    of p_mi / p_i over the tokens, where p_i is the probability under the mixture. Any
    other mixture, with probabilities q_i, saves at most ln(max gain) nats per token. By
    Jensen's inequality, the mean of ln(q_i / p_i) is at most the logarithm of the mean
    of q_i / p_i, and the latter is a weighted mean of the gains.
    """
    M, N = nats.shape
    if not nats.size:
        raise ValueError(f"cannot fit weights of {M} members on {N} tokens")
    weights = np.full(M, 1 / M)
    # a token that is impossible under every member costs the same for all weights
    possible = nats[:, np.isfinite(nats.min(axis=0))]
    never_nats = 0.0 if possible.shape == nats.shape else np.inf
    least = possible.min(axis=0)
    # relative to the best member for each token, so that no column is entirely 0
    likelihoods = np.exp(least - possible)
    while True:
        mixed = weights @ likelihoods
        total = float((least - np.log(mixed)).sum())
        yield Mixing(tuple(weights.tolist()), total + never_nats)
        gains = likelihoods @ (1 / mixed) / max(1, len(mixed))
        if gains.max() <= np.exp(CONVERGED_NATS):
            return
        weights = weights * gains
