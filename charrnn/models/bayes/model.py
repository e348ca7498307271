"""Naive Bayes over n-grams: P(label | text) from counts.

Each kind k of n-gram (1 to 4 characters, or 1 or 2 words) has a multinomial
distribution per label, smoothed by a:

    score_k(label) = sum of ln (c(n-gram, label) + a) / (c_k(label) + a F_k)
                     over the known n-grams of kind k in the text

    ln P(label | text) = w_0 ln P(label) + sum over k of w_k score_k(label) - ln Z

With all w = 1, this is plain naive Bayes, which treats overlapping n-grams as if they
were independent: it is far too certain, and the prior hardly matters in long texts.
Therefore the weights w and the smoothing a are chosen to maximize the likelihood of the
labels. Each label is predicted from the other texts: the counts of its own text are
subtracted first. On names18 (unique pairs, six splits of a tenth by hash), this model
predicts 83.2% of the labels correctly; plain naive Bayes over 1 to 5 characters, with
the best smoothing for each split, predicts 82.5%.

The prior of a label that occurs in none of the counted texts is computed as if it had
occurred in half a text. The boundary follows the label, as in models/labeller/.

The model reads ids but counts n-grams of text, so a tensor stores the UTF-8 bytes that
each id adds to a text.

Shape letters: N texts, B batch, T time, S source time, V vocabulary of labels, X source
vocabulary, L counted labels, E entries, K kinds, F_k distinct n-grams of kind k.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, Self

import numpy as np

from charrnn.data.example_batches import ids_of, inputs_of
from charrnn.data.store import Part
from charrnn.errors import TextError
from charrnn.models.base import (
    Floats,
    Reals,
    Tensors,
    Tokens,
    check_names,
)
from charrnn.models.bayes.config import SMOOTHINGS, BayesConfig
from charrnn.models.bayes.label_counts import LabelCounts, chunks
from charrnn.models.bayes.label_weights import fit_weights, log_probabilities
from charrnn.models.bayes.ngram_keys import KINDS, LABEL_BITS, kind_of
from charrnn.models.bayes.reader import Reader
from charrnn.models.bayes.text_scores import text_scores
from charrnn.models.labeller import chains
from charrnn.models.labeller.chains import LabelModel
from charrnn.tokenizers.base import Ids, Tokenizers

MAX_LABELS: Final = 1 << LABEL_BITS
MAX_COUNT: Final = 1 << 40  #: of the texts with a label, so that sums are exact

_MAX_CHARACTERS: Final = 10_000_000  #: approximate maximum of counted texts
#: maximum amounts of data used to fit the weights
_MAX_FITTED: Final = 300_000  #: characters
_MAX_SCORES: Final = 100_000  #: texts times labels
_CHUNK: Final = 1 << 16  #: characters scored at a time


class BayesModel(LabelModel):
    """Counts of n-grams per label, and the probabilities derived from them.

    tensors: keys (E,) and counts (E,) as in `label_counts.py`; labels (L,), sorted ids;
    label_counts (L,), the number of texts with each label; pieces, the joined UTF-8 of
    all source tokens; piece_sizes (X,), the number of bytes of each token.
    """

    family = "bayes"
    config_type = BayesConfig
    config: BayesConfig

    def __init__(self, config: BayesConfig, tensors: Tensors) -> None:
        _check(config, tensors)
        super().__init__(config, tensors)
        self.labels: Ids = tensors["labels"]
        L = len(self.labels)
        self._counts = LabelCounts(tensors["keys"], tensors["counts"], L)
        ends, joined = np.cumsum(tensors["piece_sizes"]), tensors["pieces"].tobytes()
        pieces = [joined[i:j] for i, j in pairwise([0, *ends.tolist()])]
        self._reader = Reader(pieces, config.between)

    @classmethod
    def fit(cls, config: BayesConfig, part: Part, tokenizers: Tokenizers) -> Self:
        """Count the texts of a part; choose the smoothing and the weights.

        If there are more than about 10 million characters, only evenly spaced texts are
        counted. Raises TextError if there are more than 65,536 labels.
        """
        assert tokenizers.source
        reader = Reader.of(tokenizers.source)
        source = inputs_of(part)
        every = math.ceil(max(1, source.targets / _MAX_CHARACTERS))
        chosen = np.arange(0, len(part.lengths), every)
        texts = [reader.text(ids) for ids in ids_of(source, chosen.tolist())]
        labels = part.tokens[part.starts[chosen] + 1].astype(np.int64)
        names, ids = np.unique(labels, return_inverse=True)
        if len(names) > MAX_LABELS:
            raise TextError(
                f"there are {len(names):,} labels; the maximum is {MAX_LABELS:,}",
                hint="choose another `family`, or use fewer labels",
            )
        counts = LabelCounts.of(texts, ids, len(names))
        of_labels = np.bincount(ids, minlength=len(names))
        smoothing, weights = _fit(counts, of_labels, texts, ids)
        counts = counts.pruned()
        tensors = {
            "keys": counts.keys,
            "counts": counts.counts,
            "labels": names,
            "label_counts": of_labels,
            "pieces": np.frombuffer(b"".join(reader.pieces), np.uint8),
            "piece_sizes": np.array([*map(len, reader.pieces)]),
        }
        fitted = replace(config, smoothing=smoothing, weights=tuple(weights.tolist()))
        return cls(replace(fitted, between=reader.between), tensors)

    @property
    def parameters(self) -> int:
        """Number of distinct pairs of an n-gram and a label."""
        return len(self._counts.keys)

    @property
    def step_work(self) -> int:
        """The number of labels: all work is done in `read`."""
        return self.vocab_size

    def log_probabilities(self, texts: Sequence[str]) -> Reals:
        """Return ln P(label | text) for the counted labels, (N, L)."""
        weights = np.array(self.config.weights)
        of_labels = self._tensors["label_counts"]
        result = np.empty((len(texts), len(self.labels)))
        for chunk in chunks(texts, _CHUNK):
            smoothings = [self.config.smoothing]
            scores = text_scores(self._counts, of_labels, texts[chunk], smoothings)
            result[chunk] = log_probabilities(scores[0], weights)
        return result

    def potentials(self, source: Tokens, lengths: Tokens) -> Floats:
        """Return the log-probabilities of the label and then of the end, (B, 2, V)."""
        rows = zip(source, lengths.tolist(), strict=True)
        texts = [self._reader.text(row[:length]) for row, length in rows]
        B, V, L = len(texts), self.vocab_size, len(self.labels)
        total = int(self._tensors["label_counts"].sum())
        floor = 0.5 / (total + 0.5 * V)
        emissions = np.full((B, V), math.log(floor))
        counted = math.log1p(-floor * (V - 1 - L))
        emissions[:, self.labels] = self.log_probabilities(texts) + counted
        closed = chains.with_end(emissions[None], np.ones(B, np.int64))
        return np.ascontiguousarray(closed.swapaxes(0, 1))


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


def _check(config: BayesConfig, tensors: Tensors) -> None:
    """Raise ValueError unless the tensors are valid counts for a config."""
    names = ("keys", "counts", "labels", "label_counts", "pieces", "piece_sizes")
    check_names(tensors, names)
    keys, counts, labels, of_labels, pieces, sizes = (tensors[name] for name in names)
    if len(config.weights) != 1 + KINDS:
        raise ValueError(f"there are {len(config.weights)} weights, not {1 + KINDS}")
    if labels.dtype != np.int64 or labels.ndim != 1 or not len(labels):
        raise ValueError(f"labels has type {labels.dtype}, shape {labels.shape}")
    # not by differences, which can overflow
    bounded = np.concatenate([[0], labels, [config.vocab_size]])
    if (bounded[1:] <= bounded[:-1]).any():
        raise ValueError("labels is not sorted, or has unknown labels")
    if keys.dtype != np.uint64 or keys.ndim != 1 or not len(keys):
        raise ValueError(f"keys has type {keys.dtype}, shape {keys.shape}")
    if counts.dtype.kind != "u" or counts.shape != keys.shape or not counts.all():
        raise ValueError("counts does not have a positive count for each key")
    if (keys[1:] <= keys[:-1]).any():
        raise ValueError("keys is not sorted")
    if (keys & np.uint64(MAX_LABELS - 1) >= len(labels)).any():
        raise ValueError("keys has unknown labels")
    if (kind_of(keys) >= KINDS).any():
        raise ValueError("keys has unknown kinds of n-grams")
    if (
        of_labels.shape != labels.shape
        or of_labels.dtype != np.int64
        or (of_labels < 0).any()
        or (of_labels > MAX_COUNT).any()
    ):
        raise ValueError("label_counts does not have a count for each label")
    if pieces.dtype != np.uint8 or pieces.ndim != 1:
        raise ValueError(f"pieces has type {pieces.dtype}, shape {pieces.shape}")
    if (
        sizes.shape != (config.source_size,)
        or sizes.dtype != np.int64
        or (sizes < 0).any()
        or (sizes > len(pieces)).any()
        or sizes.sum() != len(pieces)
    ):
        raise ValueError("piece_sizes does not have a size for each source token")
