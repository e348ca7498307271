"""A naive Bayes model that is multiplied with a network, for classifiers.

As with n-gram models (ngram_partner.py), some examples are held out from the network
for the whole run. The weights are fitted on them, with a naive Bayes model that counts
only the other examples. The saved naive Bayes model counts all examples.
"""

from typing import Final

import numpy as np

from charrnn.data.example_batches import targets_of
from charrnn.data.parts import hold_out
from charrnn.data.store import Part, TokenStore
from charrnn.errors import StoppedError, TextError
from charrnn.inference.prediction.predicting import example_logits
from charrnn.models.base import (
    ConditionalModel,
    Floats,
    LanguageModel,
    Reals,
    log_softmax,
    token_nats,
)
from charrnn.models.bayes.config import BayesConfig
from charrnn.models.bayes.label_weights import fit_weights
from charrnn.models.bayes.model import BayesModel
from charrnn.models.network import Network
from charrnn.models.product import MAX_WEIGHT, ProductModel
from charrnn.tasks.base import Metrics
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizers
from charrnn.training.events import ValidationEvent
from charrnn.training.loop.evaluate import Stop, Validation, Validator

MAX_SCORES: Final = 2_000_000  #: maximum of examples times labels for fitting
LEAST_WEIGHT: Final = 0.01  #: minimum weight of the only member


class BayesPartner:
    """Wraps a validator to validate the product of a network and naive Bayes.

    train: the part that the network trains on.
    """

    def __init__(
        self, validator: Validator, store: TokenStore, tokenizers: Tokenizers
    ) -> None:
        self.train, self.held = hold_out(store.train)
        if not self.train.targets:
            raise TextError(
                f"`with_ngram` cannot hold out any of {store.train.targets} examples",
                hint="add examples with different inputs",
            )
        self._validator = validator
        self._store = store
        self._tokenizers = tokenizers
        self._right, _ = targets_of(self.held)

    @property
    def tokens(self) -> int:
        """The number of tokens that a validation reads or predicts."""
        return self._validator.tokens + self.held.work_tokens

    def count(self, stop: Stop) -> None:
        """Count the examples; ten thousand short texts take a second.

        Raises StoppedError if `stop()` becomes true before the end.
        """
        config = BayesConfig(self._store.vocab_size, self._store.source_size)
        partial = BayesModel.fit(config, self.train, self._tokenizers)
        self._held_scores = _scores(partial, self.held, stop)
        self._bayes = BayesModel.fit(config, self._store.train, self._tokenizers)
        self._valid_scores = _scores(self._bayes, self._store.valid, stop)

    def __call__(self, network: Network, stop: Stop = lambda: False) -> Validation:
        """Return the metrics of the product and of each of its members.

        Raises StoppedError if `stop()` becomes true before the end.
        """
        model = network.model()
        assert isinstance(model, ConditionalModel)
        held = np.stack([_scores(model, self.held, stop), self._held_scores], axis=1)
        valid = [_scores(model, self._store.valid, stop), self._valid_scores]
        weights = product_weights(held, self._right)
        pairs = zip(weights, valid, strict=True)
        mixed = sum(np.float32(weight) * scores for weight, scores in pairs)
        names = (network.config.title, self._bayes.title)
        members = [
            {"name": name, "weight": weight} | self._measure(scores).to_json()
            for name, weight, scores in zip(names, weights, valid, strict=True)
        ]
        return Validation(self._measure(np.asarray(mixed)), {"members": members})

    def mixture(
        self, network: LanguageModel, validated: ValidationEvent
    ) -> LanguageModel:
        """Return the product with the weights from a validation."""
        weights = [member["weight"] for member in validated.mixture["members"]]
        pairs = zip((network, self._bayes), weights, strict=True)
        used = [pair for pair in pairs if pair[1] > 0]
        return ProductModel(*zip(*used, strict=True))

    def _measure(self, logits: Floats) -> Metrics:
        """Return the metrics of the validation part, given logits (N, V)."""
        right, _ = targets_of(self._store.valid)
        nats = token_nats(logits, right).astype(np.float64)
        return self._validator.measure(nats, logits.argmax(axis=-1))


def product_weights(scores: Floats, right: Ids) -> tuple[float, ...]:
    """Return the weights of log-probabilities (N, M, V) for the right labels (N,).

    A member that does not help gets weight 0, but at least one weight is positive.
    """
    every = -(-scores.shape[0] * scores.shape[2] // MAX_SCORES)
    labels = np.eye(scores.shape[2])[right[::every], BOUNDARY + 1 :]
    used: Reals = scores[::every, :, BOUNDARY + 1 :].astype(np.float64)
    kept = [k for k in range(used.shape[1]) if np.isfinite(used[:, k]).all()]
    weights = np.zeros(used.shape[1])
    while kept:
        found, _ = fit_weights(used[:, kept], labels)
        if len(kept) == 1 or (found > 0).all():
            weights[kept] = np.clip(found, LEAST_WEIGHT, MAX_WEIGHT)
            break
        del kept[int(found.argmin())]
    return tuple(weights.tolist())


def _scores(model: ConditionalModel, part: Part, stop: Stop) -> Floats:
    """Return the log-probabilities of labels, (N, V), in the order of validation.

    Raises StoppedError if `stop()` becomes true before the end.
    """
    found = []
    for _, logits in example_logits(model, part):
        if stop():
            raise StoppedError
        found.append(log_softmax(logits[:, 0]))
    return np.concatenate(found)
