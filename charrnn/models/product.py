"""A product of classifiers: the weighted sum of their log-probabilities, normalized.

    p(label | text) = product over members m of p_m(label | text)^weight_m / Z

If the members were independent given the label, this would be Bayes' rule; the weights
allow for members that are too certain or resemble each other (Hinton 2002, "products of
experts"). A network and naive Bayes are combined in this way. On names18, a mixture
(a weighted mean) has a loss that is 2% higher, with about the same accuracy.

The members share a vocabulary. States, tensors and files are like those of a mixture.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np

from charrnn.fields import from_json
from charrnn.models.base import (
    ConditionalModel,
    Floats,
    LanguageModel,
    State,
    Tensors,
    Tokens,
    log_softmax,
)
from charrnn.models.mixture import (
    MAX_MEMBERS,
    CombinedModel,
    MixtureConfig,
    MixtureModel,
    built,
)

MAX_WEIGHT: Final = 1000.0  #: keeps logits finite


class ProductModel(CombinedModel, ConditionalModel):
    """A weighted product of models that read an input. The weights are positive.

    Raises ValueError for other weights or models.
    """

    family = "product"

    def __init__(
        self, members: Sequence[LanguageModel], weights: Sequence[float]
    ) -> None:
        _check(members, weights)
        super().__init__(members, weights)
        if not isinstance(members[0], ConditionalModel):
            raise ValueError("a product needs models that read an input")

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state."""
        logits = np.zeros((*tokens.shape, self.vocab_size), np.float32)
        after: State = ()
        for member, weight, before in self._weighted(state):
            part, own = member.forward(tokens, before)
            logits += np.float32(weight) * log_softmax(part)
            after += own
        return logits, after

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Tensors) -> Self:
        """Rebuild a product and its members."""
        given = from_json(MixtureConfig, config)
        _check(given.members, given.weights)
        never = (cls.family, MixtureModel.family)
        return cls(built(given, tensors, never=never), given.weights)


def _check(members: Sequence[Any], weights: Sequence[float]) -> None:
    """Raise ValueError for too many members, or for invalid weights."""
    if not 0 < len(members) == len(weights) <= MAX_MEMBERS:
        raise ValueError(f"{len(members)} members do not match {len(weights)} weights")
    if not all(0 < weight <= MAX_WEIGHT for weight in weights):
        listed = ", ".join(map(str, weights))
        raise ValueError(f"the weights {listed} are not in (0, {MAX_WEIGHT:g}]")
