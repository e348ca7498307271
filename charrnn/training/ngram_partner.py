"""N-gram models beside a network: counted alone, or mixed in.

The weight of a mixture, and the order of its n-gram model, come from text that neither
member has seen, and not from the text that is reported. So a piece of the training
part is held out from the network for the whole run. N-gram models counted without it
show which order and weight suit it; the one that is kept counts everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from charrnn.data.parts import hold_out
from charrnn.data.store import Part, TokenStore
from charrnn.errors import TextError
from charrnn.inference import baselines
from charrnn.inference.mixing import best_weights
from charrnn.inference.scoring import Nats, part_nats
from charrnn.models.base import LanguageModel
from charrnn.models.mixture import MixtureModel
from charrnn.models.network import Network
from charrnn.models.ngram.model import NgramModel
from charrnn.training.events import ValidationEvent
from charrnn.training.loop.evaluate import Stop, StoppedError, Validation, Validator

ORDERS: Final = baselines.ORDERS[1:]  #: the orders to try
MAX_COUNTED: Final = 4_000_000  #: tokens counted at the end of any run: 10 s
MAX_MIXED: Final = 20_000_000  #: tokens counted for a mixture: 2 GB


def best_ngram(validator: Validator, store: TokenStore, stop: Stop) -> Any:
    """Return the order and metrics of the best n-gram model of a corpus, as JSON.

    None if the corpus is too large to count in passing. Raises StoppedError when
    `stop()` is true before the end.
    """
    if store.train.targets > MAX_COUNTED:
        return None
    counted = baselines.count(store.train, store.vocab_size, ORDERS)
    tried = _until_worse(counted, store.valid, stop)
    ngram, nats = min(tried, key=lambda pair: float(pair[1].sum()))
    metrics = validator.task.measure(nats, store.valid)
    return {"order": ngram.config.order} | metrics.to_json()


@dataclass(frozen=True)
class _Candidate:
    """An n-gram model, its nats in validation, and those of the held-out piece.

    The latter are of a model of that order that was counted without that piece.
    """

    ngram: NgramModel
    valid_nats: Nats
    held_nats: Nats


class NgramPartner:
    """The n-gram model mixed with a network: a validator around another one.

    train: what the network trains on. order: 0 tries the best order and the next one.
    """

    def __init__(self, validator: Validator, store: TokenStore, order: int) -> None:
        targets = store.train.targets
        if targets > MAX_MIXED:
            raise TextError(
                f"`with_ngram` counts up to {MAX_MIXED:,} tokens, not {targets:,}",
                hint="train an n-gram model on a part of the text, then charrnn mix",
            )
        self.train, self.held = hold_out(store.train)
        if not self.train.targets:
            raise TextError(
                f"`with_ngram` cannot hold out any of {targets} training tokens",
                hint="use a longer text",
            )
        self._validator = validator
        self._store = store
        self._order = order
        self._candidates: list[_Candidate] = []

    @property
    def targets(self) -> int:
        """How many targets a validation predicts."""
        return self._validator.targets

    def count(self, stop: Stop) -> None:
        """Count all that a validation needs: seconds for a million tokens.

        Raises StoppedError when `stop()` is true before the end.
        """
        store = self._store
        orders = range(self._order, self._order + 1) if self._order else ORDERS
        counted = baselines.count(self.train, store.vocab_size, orders)
        # in a mixture, the order above the best is often better
        tried = _until_worse(counted, self.held, stop)[-2:]
        first, last = (tried[k][0].config.order for k in (0, -1))
        orders = range(first, last + 1)
        kept = _unless(stop, baselines.count(store.train, store.vocab_size, orders))
        self._candidates = [
            _Candidate(ngram, part_nats(ngram, store.valid), held_nats)
            for (_, held_nats), ngram in zip(tried, kept, strict=True)
        ]

    def __call__(self, network: Network, stop: Stop = lambda: False) -> Validation:
        """Return the metrics of the mixture with a network, and its members.

        Raises StoppedError when `stop()` is true before the end.
        """
        measure, store = self._validator.task.measure, self._store
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
            measure(one, store.valid) for one in (-np.logaddexp(own, its), *nats)
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
        """Return the mixture of a validation, with the weights that it found."""
        (ngram,) = (
            one.ngram
            for one in self._candidates
            if one.ngram.config.order == validated.mixture["order"]
        )
        weights = [member["weight"] for member in validated.mixture["members"]]
        pairs = zip((network, ngram), weights, strict=True)
        used = [pair for pair in pairs if pair[1] > 0]
        return MixtureModel(*zip(*used, strict=True))


def _unless(stop: Stop, models: Iterator[NgramModel]) -> Iterator[NgramModel]:
    """Yield models; raise StoppedError when `stop()` is true after one was counted."""
    for model in models:
        if stop():
            raise StoppedError
        yield model


def _until_worse(
    models: Iterator[NgramModel], part: Part, stop: Stop
) -> list[tuple[NgramModel, Nats]]:
    """Return models with the nats of a part, up to the first that is no better."""
    tried: list[tuple[NgramModel, Nats]] = []
    least = np.inf
    for model in _unless(stop, models):
        nats = part_nats(model, part)
        tried.append((model, nats))
        if nats.sum() >= least:
            break
        least = nats.sum()
    return tried
