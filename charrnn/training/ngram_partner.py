"""Counting beside a network: how good an n-gram model is, alone or mixed in.

The weight of a mixture, and the order of its n-gram model, come from text that neither
member has seen, and not from the text that is reported. So a piece of the training
part is held out from the network for the whole run. N-gram models that are counted
without it say which order and weight suit it; the one that is kept counts everything.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from charrnn.data.parts import split
from charrnn.data.store import Part, TokenStore
from charrnn.errors import TextError
from charrnn.inference import baselines
from charrnn.inference.mixing import best_weights
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, part_nats, score_of
from charrnn.models.base import LanguageModel
from charrnn.models.mixture import MixtureModel
from charrnn.models.network import Network
from charrnn.models.ngram.model import NgramModel
from charrnn.training.events import score_values
from charrnn.training.loop.evaluate import StoppedError, target_nats

ORDERS: Final = baselines.ORDERS[1:]  #: that are tried
#: of the training part, what finds the weight: a share of its tokens, but, of short
#: texts, so many tokens or a tenth, and of long ones no more than is of use
HELD_SHARE: Final = 0.02
ENOUGH_HELD: Final = 2_000
MOST_HELD_SHARE: Final = 0.1
MOST_HELD: Final = 50_000
PIECE: Final = 500  #: tokens held out in a row
MOST_COUNTED: Final = 4_000_000  #: tokens that are counted at the end of any run: 10 s
MOST_MIXED: Final = 20_000_000  #: tokens that are counted for a mixture: 2 GB


def best_ngram(store: TokenStore, stop: Callable[[], bool]) -> dict[str, Any] | None:
    """Return the order and validation of the best n-gram model of a corpus.

    None if it is too large to count in passing. Raises StoppedError when `stop()` is
    true before the end.
    """
    if store.train.targets > MOST_COUNTED:
        return None
    counted = baselines.count(store.train, store.vocab_size, ORDERS)
    tried = _until_worse(counted, store.valid, stop)
    ngram, nats = min(tried, key=lambda pair: float(pair[1].sum()))
    score = score_of(nats, store.valid)
    return {"order": ngram.config.order} | score_values(score)


def hold_out(train: Part) -> tuple[Part, Part]:
    """Return what a network trains on beside n-grams, and what finds their weight."""
    few = max(HELD_SHARE, ENOUGH_HELD / train.targets)
    share = min(MOST_HELD_SHARE, few, MOST_HELD / train.targets)
    # Not the end in one piece: of one long text that is most like what comes next.
    # Without the last 2% of tinyshakespeare a 7-gram scores 1.586 nats and not 1.517.
    return split(train, share, pieces=max(1, round(share * train.targets / PIECE)))


@dataclass(frozen=True)
class _Candidate:
    """An n-gram model, its nats in validation, and those of the held-out piece.

    The latter are of a model of that order that was counted without that piece.
    """

    ngram: NgramModel
    valid_nats: Nats
    held_nats: Nats


class Partner:
    """The n-gram model that speaks beside a network.

    order: 0 chooses among those that are best alone, and one longer.
    """

    def __init__(self, store: TokenStore, order: int) -> None:
        targets = store.train.targets
        if targets > MOST_MIXED:
            raise TextError(
                f"--with-ngram counts up to {MOST_MIXED:,} tokens, not {targets:,}",
                hint="count a part of the text with --model ngram, then charrnn mix",
            )
        #: what the network trains on, and what finds the weight
        self.train, self.held = hold_out(store.train)
        if not self.train.targets:
            raise TextError(
                f"--with-ngram has nothing to hold out of {targets} tokens to train on",
                hint="use a longer text",
            )
        self._store = store
        self._order = order
        self._candidates: list[_Candidate] = []

    def count(self, stop: Callable[[], bool]) -> None:
        """Count all that `validate` needs: seconds for a million tokens.

        Raises StoppedError when `stop()` is true before the end.
        """
        store = self._store
        orders = range(self._order, self._order + 1) if self._order else ORDERS
        counted = baselines.count(self.train, store.vocab_size, orders)
        # with a network the order above the best is often better
        tried = _until_worse(counted, self.held, stop)[-2:]
        first, last = (tried[k][0].config.order for k in (0, -1))
        orders = range(first, last + 1)
        kept = _unless(stop, baselines.count(store.train, store.vocab_size, orders))
        self._candidates = [
            _Candidate(ngram, part_nats(ngram, store.valid), held_nats)
            for (_, held_nats), ngram in zip(tried, kept, strict=True)
        ]

    def validate(
        self, network: Network, device: str, stop: Callable[[], bool]
    ) -> tuple[Score, dict[str, Any]]:
        """Return the score of the mixture with a network, and what is said of it.

        Raises StoppedError when `stop()` is true before the end.
        """
        held_nats = target_nats(network, self.held, device, stop)
        valid_nats = target_nats(network, self._store.valid, device, stop)
        mixings = [
            best_weights(np.array([held_nats, one.held_nats]))
            for one in self._candidates
        ]
        best = min(range(len(mixings)), key=lambda k: mixings[k].nats)
        chosen, weights = self._candidates[best], mixings[best].weights
        nats = (valid_nats, chosen.valid_nats)
        with np.errstate(divide="ignore"):  # a weight of 0
            own, its = (np.log(w) - n for w, n in zip(weights, nats, strict=True))
        score, *alone = (
            score_of(one, self._store.valid) for one in (-np.logaddexp(own, its), *nats)
        )
        names = (network.config.title, chosen.ngram.config.title)
        members = [
            {"name": name, "weight": weight} | score_values(one)
            for name, weight, one in zip(names, weights, alone, strict=True)
        ]
        return score, {"order": chosen.ngram.config.order, "members": members}

    def mixture(
        self, network: LanguageModel, validated: Mapping[str, Any]
    ) -> LanguageModel:
        """Return what `validate` told of, with the weights that it found."""
        order = validated["order"]
        (ngram,) = (
            one.ngram for one in self._candidates if one.ngram.config.order == order
        )
        weights = [member["weight"] for member in validated["members"]]
        pairs = zip((network, ngram), weights, strict=True)
        used = [pair for pair in pairs if pair[1] > 0]
        return MixtureModel(*zip(*used, strict=True))


def _unless(
    stop: Callable[[], bool], models: Iterator[NgramModel]
) -> Iterator[NgramModel]:
    """Yield models; raise StoppedError when `stop()` is true after one was counted."""
    for model in models:
        if stop():
            raise StoppedError
        yield model


def _until_worse(
    models: Iterator[NgramModel], part: Part, stop: Callable[[], bool]
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
