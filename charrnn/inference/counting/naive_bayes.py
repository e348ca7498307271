"""Naive Bayes over n-grams: P(label | text) from counts.

Each kind k of n-gram (of 1 to 4 characters, of 1 or 2 words) has a multinomial
distribution per label, smoothed by a:

    score_k(label) = sum of ln (c(n-gram, label) + a) / (c_k(label) + a F_k)
                     over the known n-grams of kind k in the text

    ln P(label | text) = w_0 ln P(label) + sum over k of w_k score_k(label) - ln Z

With all w = 1 this is plain naive Bayes, which counts overlapping n-grams as if they
were independent: it is far too certain, and long texts drown the prior. So the weights
w and the smoothing a are chosen to maximize the likelihood of the labels, each
predicted from all other texts: a text's own counts are subtracted first. On names18
(unique pairs, six splits of a tenth by hash), this is right for 83.2% of names; plain
naive Bayes over 1 to 5 characters, with the best smoothing for each split, for 82.5%.

Letters: N texts, L labels, K kinds, F_k distinct n-grams of kind k.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from charrnn.errors import TextError
from charrnn.fields import from_json, to_json
from charrnn.inference.counting.label_counts import LabelCounts, chunks
from charrnn.inference.counting.label_weights import fit_weights
from charrnn.inference.counting.ngram_keys import KINDS, LABEL_BITS, kind_of
from charrnn.inference.counting.text_scores import text_scores
from charrnn.inference.intervals import Reals
from charrnn.models.base import Tensors, check_names
from charrnn.tokenizers.base import Ids

SMOOTHINGS: Final = (1.0, 0.3, 0.1, 0.03, 0.01)
MAX_LABELS: Final = 1 << LABEL_BITS

_MAX_CHARACTERS: Final = 10_000_000  #: of the texts that are counted, about
# at most this much is used to fit the weights
_MAX_FITTED: Final = 300_000  #: characters
_MAX_SCORES: Final = 100_000  #: texts times labels
_CHUNK: Final = 1 << 16  #: characters scored at a time


@dataclass(frozen=True)
class NaiveBayesConfig:
    """The labels, the smoothing, and the weights of the prior and of each kind."""

    labels: tuple[str, ...]
    smoothing: float
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(set(self.labels)) == len(self.labels) <= MAX_LABELS:
            raise ValueError("the labels are missing, repeated or too many")
        if len(self.weights) != 1 + KINDS:
            raise ValueError(f"{len(self.weights)} weights instead of {1 + KINDS}")
        if not np.isfinite([self.smoothing, *self.weights]).all():
            raise ValueError("the smoothing or a weight is not finite")
        if self.smoothing < min(SMOOTHINGS):
            raise ValueError(f"the smoothing is {self.smoothing:g}")


class NaiveBayes:
    """Counts of n-grams per label, and the probabilities derived from them.

    tensors: keys (E,) and counts (E,) as in `label_counts.py`; label_counts (L,), the
    number of texts with each label.
    """

    title = "naive Bayes"

    def __init__(self, config: NaiveBayesConfig, tensors: Tensors) -> None:
        _check(tensors, len(config.labels))
        self.config = config
        self._tensors = dict(tensors)
        self._counts = LabelCounts(
            tensors["keys"], tensors["counts"], len(config.labels)
        )

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str]) -> Self:
        """Count texts with their labels; choose the smoothing and the weights.

        Of more than about 10 million characters, evenly spaced texts are counted.
        Raises TextError for more than 65,536 labels.
        """
        if not texts or len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts and {len(labels)} labels")
        names = sorted(set(labels))
        if len(names) > MAX_LABELS:
            raise TextError(f"{len(names):,} labels are more than {MAX_LABELS:,}")
        index = {name: at for at, name in enumerate(names)}
        every = math.ceil(max(1, sum(map(len, texts)) / _MAX_CHARACTERS))
        texts = texts[::every]
        ids = np.array([index[label] for label in labels[::every]], np.int64)
        counts = LabelCounts.of(texts, ids, len(names))
        of_labels = np.bincount(ids, minlength=len(names))
        smoothing, weights = _fit(counts, of_labels, texts, ids)
        counts = counts.pruned()
        tensors = {
            "keys": counts.keys,
            "counts": counts.counts,
            "label_counts": of_labels,
        }
        config = NaiveBayesConfig(tuple(names), smoothing, tuple(weights.tolist()))
        return cls(config, tensors)

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Tensors) -> Self:
        """Rebuild a model. Raises ValueError if tensors and config do not match."""
        return cls(from_json(NaiveBayesConfig, config), tensors)

    def config_json(self) -> dict[str, Any]:
        """Return the configuration as JSON values."""
        return to_json(self.config)

    def tensors(self) -> dict[str, Any]:
        """Return the tensors by name, as a model file stores them."""
        return dict(self._tensors)

    def log_probabilities(self, texts: Sequence[str]) -> Reals:
        """Return ln P(label | text), (N, L), in the order of `config.labels`."""
        weights = np.array(self.config.weights)
        of_labels = self._tensors["label_counts"]
        result = np.empty((len(texts), len(self.config.labels)))
        for chunk in chunks(texts, _CHUNK):
            smoothings = [self.config.smoothing]
            scores = text_scores(self._counts, of_labels, texts[chunk], smoothings)
            sums = np.einsum("nkl,k->nl", scores[0], weights)
            sums -= sums.max(axis=-1, keepdims=True)
            sums -= np.log(np.exp(sums).sum(axis=-1, keepdims=True))
            result[chunk] = sums
        return result

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the likeliest label of each text."""
        best = self.log_probabilities(texts).argmax(axis=-1).tolist()
        return [self.config.labels[label] for label in best]


def _fit(
    counts: LabelCounts, of_labels: Ids, texts: Sequence[str], labels: Ids
) -> tuple[float, Reals]:
    """Return the best smoothing and weights for counted texts with labels (N,)."""
    repeats = Counter(zip(texts, labels.tolist(), strict=True))
    distinct = list(dict.fromkeys(texts))
    characters, scores = sum(map(len, distinct)), len(distinct) * counts.size
    every = math.ceil(max(1, characters / _MAX_FITTED, scores / _MAX_SCORES))
    fitted = distinct[::every]
    index = {text: row for row, text in enumerate(fitted)}
    own = np.zeros((len(fitted), counts.size), np.int64)
    for (text, label), count in repeats.items():
        if text in index:
            own[index[text], label] = count
    parts = [
        text_scores(counts, of_labels, fitted[chunk], SMOOTHINGS, own[chunk])
        for chunk in chunks(fitted, _CHUNK)
    ]
    fits = [fit_weights(of_a, own) for of_a in np.concatenate(parts, axis=1)]
    best = min(range(len(fits)), key=lambda k: fits[k][1])
    return SMOOTHINGS[best], fits[best][0]


def _check(tensors: Tensors, labels: int) -> None:
    """Raise ValueError unless the tensors are valid counts for this many labels."""
    check_names(tensors, ("keys", "counts", "label_counts"))
    keys, counts = tensors["keys"], tensors["counts"]
    if keys.dtype != np.uint64 or keys.ndim != 1 or not len(keys):
        raise ValueError(f"keys is {keys.dtype} {keys.shape}")
    if counts.dtype.kind != "u" or counts.shape != keys.shape or not counts.all():
        raise ValueError("counts does not have a positive count for each key")
    if (keys[1:] <= keys[:-1]).any():
        raise ValueError("keys is not in order")
    if (keys & np.uint64(MAX_LABELS - 1) >= labels).any():
        raise ValueError("keys has unknown labels")
    if (kind_of(keys) >= KINDS).any():
        raise ValueError("keys has unknown kinds of n-grams")
    sizes = tensors["label_counts"]
    if sizes.shape != (labels,) or sizes.dtype != np.int64 or (sizes < 0).any():
        raise ValueError("label_counts does not have a count for each label")
