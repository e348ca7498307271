"""N-gram models that are compared with a network or mixed with it.

The weight of a mixture and the order of its n-gram model must be chosen on text that
neither member has seen and that is not the validation text. So a piece of the training
part is held out from the network for the whole run. The order and
the weight are chosen with n-gram models that exclude this piece. The n-gram model that
is saved is counted on the whole training part.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from charrnn.data.parts import hold_out
from charrnn.data.store import TokenStore
from charrnn.errors import TextError
from charrnn.inference import baselines
from charrnn.inference.mixing import best_weights
from charrnn.inference.scoring import Nats, part_nats
from charrnn.models.base import LanguageModel
from charrnn.models.mixture import MixtureModel
from charrnn.models.network import Network
from charrnn.models.ngram.model import NgramModel
from charrnn.training.events import ValidationEvent
from charrnn.training.loop.evaluate import Stop, Validation, Validator

MAX_MIXED: Final = 20_000_000  #: most tokens to count for a mixture: takes 2 GB


@dataclass(frozen=True)
class _Candidate:
    """An n-gram model, with its nats on the validation part and the held-out piece.

    held_nats: from a model of the same order, counted without the held-out piece.
    """

    ngram: NgramModel
    valid_nats: Nats
    held_nats: Nats


class NgramPartner:
    """Validates a network mixed with an n-gram model, by wrapping another validator.

    train: the part that the network trains on. order: 0 tries the best order and the
    next one.
    """

    def __init__(self, validator: Validator, store: TokenStore, order: int) -> None:
        targets = store.train.targets
        if targets > MAX_MIXED:
            raise TextError(
                f"`with_ngram` counts at most {MAX_MIXED:,} tokens, not {targets:,}",
                hint="train an n-gram model on part of the text, then use charrnn mix",
            )
        self.train, self.held = hold_out(store.train)
        if not self.train.targets:
            raise TextError(
                f"`with_ngram` cannot hold out any of the {targets} training tokens",
                hint="use a longer text",
            )
        self._validator = validator
        self._store = store
        self._order = order
        self._candidates: list[_Candidate] = []

    @property
    def tokens(self) -> int:
        """The number of tokens that a validation reads or predicts."""
        return self._validator.tokens + self.held.work_tokens

    def count(self, stop: Stop) -> None:
        """Count the n-gram models; a million tokens take seconds.

        Raises StoppedError if `stop()` becomes true before the end.
        """
        store = self._store
        orders = (
            range(self._order, self._order + 1)
            if self._order
            else baselines.MIXED_ORDERS
        )
        counted = baselines.count(self.train, store.vocab_size, orders)
        # in a mixture, the order one above the best is often better
        tried = baselines.until_worse(counted, self.held, stop)[-2:]
        first, last = (tried[k][0].config.order for k in (0, -1))
        orders = range(first, last + 1)
        kept = baselines.unless(
            stop, baselines.count(store.train, store.vocab_size, orders)
        )
        self._candidates = [
            _Candidate(ngram, part_nats(ngram, store.valid), held_nats)
            for (_, held_nats), ngram in zip(tried, kept, strict=True)
        ]

    def __call__(self, network: Network, stop: Stop = lambda: False) -> Validation:
        """Return the metrics of the mixture and of each of its members.

        Raises StoppedError if `stop()` becomes true before the end.
        """
        store = self._store
        held_nats = self._validator.target_nats(network, self.held, stop)
        valid_nats = self._validator.target_nats(network, store.valid, stop)
        mixings = [
            best_weights(np.array([held_nats, one.held_nats]))
            for one in self._candidates
        ]
        best = min(range(len(mixings)), key=lambda k: mixings[k].nats)
        chosen, weights = self._candidates[best], mixings[best].weights
        nats = (valid_nats, chosen.valid_nats)
        with np.errstate(divide="ignore"):  # a weight of 0
            own, its = (np.log(w) - n for w, n in zip(weights, nats, strict=True))
        mixed, *alone = (
            self._validator.measure(one) for one in (-np.logaddexp(own, its), *nats)
        )
        names = (network.config.title, chosen.ngram.config.title)
        members = [
            {"name": name, "weight": weight} | one.to_json()
            for name, weight, one in zip(names, weights, alone, strict=True)
        ]
        order = chosen.ngram.config.order
        return Validation(mixed, {"order": order, "members": members})

    def mixture(
        self, network: LanguageModel, validated: ValidationEvent
    ) -> LanguageModel:
        """Return the mixture with the order and weights that a validation found."""
        (ngram,) = (
            one.ngram
            for one in self._candidates
            if one.ngram.config.order == validated.mixture["order"]
        )
        weights = [member["weight"] for member in validated.mixture["members"]]
        pairs = zip((network, ngram), weights, strict=True)
        used = [pair for pair in pairs if pair[1] > 0]
        return MixtureModel(*zip(*used, strict=True))
