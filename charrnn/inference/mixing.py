"""How much each model of a mixture should say: its weight, from held-out text.

The weights that make a text likeliest are found by expectation and maximization
(Dempster, Laird and Rubin 1977; for language models Jelinek and Mercer 1980). With
p_mi the probability that member m gives token i:

    share_mi = weight_m p_mi / sum over k of weight_k p_ki       who said token i
    weight_m = the mean of share_mi over the tokens

No step makes the text less likely, and there is no lower maximum to be caught in. The
text must be new to the members: one that has it by heart would get all the weight.

Letters: M members, N tokens.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.inference.scoring import part_nats
from charrnn.models.base import LanguageModel

Reals = npt.NDArray[np.float64]

CONVERGED_NATS = 1e-6  # a token: as exactly as float32 logits tell it


class Mixing(NamedTuple):
    """The weights of members, which sum to 1, and the nats of a text with them.

    A weight of 0 is that of a member better left out.
    """

    weights: tuple[float, ...]
    nats: float


def fit_weights(members: Sequence[LanguageModel], part: Part) -> Mixing:
    """Return the weights with which the targets of a part cost the fewest nats.

    They never cost more than with the best member alone.
    Raises ValueError if there is no member or no token.
    """
    if not members:
        raise ValueError("no members to find the weights of")
    return best_weights(np.array([part_nats(member, part) for member in members]))


def best_weights(nats: Reals) -> Mixing:
    """Return the weights for tokens that cost each member so many nats, (M, N)."""
    *_, last = improving_weights(nats)
    alone = zip(np.eye(len(nats)).tolist(), nats.sum(axis=1).tolist(), strict=True)
    # where one member should say all, the steps towards that have no end
    candidates = [last, *(Mixing(tuple(weights), sum_) for weights, sum_ in alone)]
    return min(candidates, key=lambda mixing: mixing.nats)


def improving_weights(nats: Reals) -> Iterator[Mixing]:
    """Yield equal weights, then those after each step, until no others are much better.

    nats: (M, N), as in `best_weights`. A step multiplies weight_m by gain_m, the mean
    over the tokens of p_mi / p_i, where p_i is the mixture's. Other weights, with q_i,
    save no more than ln(max gain) nats a token: the mean of ln(q_i / p_i) is at most
    the logarithm of the mean of q_i / p_i, which is a weighted mean of the gains.
    """
    M, N = nats.shape
    if not nats.size:
        raise ValueError(f"no weights for {M} members from {N} tokens")
    weights = np.full(M, 1 / M)
    # a token that no member thinks possible says nothing of their weights
    possible = nats[:, np.isfinite(nats.min(axis=0))]
    never_nats = 0.0 if possible.shape == nats.shape else np.inf
    least = possible.min(axis=0)
    # against the best member of each token, so that they are not all 0
    likelihoods = np.exp(least - possible)
    while True:
        mixed = weights @ likelihoods
        total = float((least - np.log(mixed)).sum())
        yield Mixing(tuple(weights.tolist()), total + never_nats)
        gains = likelihoods @ (1 / mixed) / max(1, len(mixed))
        if gains.max() <= np.exp(CONVERGED_NATS):
            return
        weights = weights * gains
