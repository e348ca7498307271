"""Comparing models on the same texts, with confidence intervals.

Models can have different tokenizers, so they are not compared token by token. The nats
of a token are assigned to the character where it ends, or to its document, and models
are compared character by character or document by document. Either all models count the
ends of texts, or none of them does.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, nan
from typing import Final

import numpy as np

from charrnn.data.store import MANY_DOCUMENTS
from charrnn.data.validation import SEGMENT, WARM_UP
from charrnn.inference import checkpoint
from charrnn.inference.intervals import BLOCKS, MAX_BLOCKS, Interval, interval_of_ratio
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, batch_nats
from charrnn.inference.text_model import TextModel
from charrnn.models.base import LanguageModel
from charrnn.text.size import TextSize, text_size
from charrnn.tokenizers.base import Ids

#: maximum excess of unknown tokens, as a fraction of all tokens, for a fair comparison
MAX_UNKNOWN: Final = 0.01


@dataclass(frozen=True)
class Texts:
    """Non-empty documents to compare models on. `ends` tells whether to score ends.

    The bootstrap resamples units: documents if there are many, otherwise characters.
    """

    documents: tuple[str, ...]
    ends: bool

    @property
    def size(self) -> TextSize:
        """The size of all documents."""
        return sum(map(text_size, self.documents), TextSize())

    @property
    def has_many(self) -> bool:
        """Whether there are many documents, so that each one is a unit."""
        return len(self.documents) >= MANY_DOCUMENTS

    @property
    def unit_sizes(self) -> Ids:
        """The number of characters of each unit, (N,)."""
        lengths = np.array([len(text) for text in self.documents])
        return lengths if self.has_many else np.ones(lengths.sum(), np.int64)

    @property
    def blocks(self) -> int:
        """The number of blocks for the bootstrap."""
        most = MAX_BLOCKS if self.has_many else BLOCKS
        return min(most, len(self.unit_sizes))


@dataclass(frozen=True)
class Reading:
    """The score of a model on texts, and the nats of each unit, (N,).

    impossible: the number of tokens with probability 0. file_bytes: the size of the
    model file. seconds: the time that scoring took.
    """

    model: TextModel
    score: Score
    unit_nats: Nats
    impossible: int
    file_bytes: int
    seconds: float


@dataclass(frozen=True)
class Compared:
    """A reading, and its difference to the best reading.

    difference: by how many bits per character the model is worse than the best.
    interval: the 95% confidence interval of the difference. Both are NaN for the best
    model, and if the best model gives the text probability 0. is_fair: whether the
    model has few more unknown tokens than the others. (An unknown token costs less than
    the characters that it replaces.)
    """

    reading: Reading
    is_fair: bool
    is_best: bool
    difference: float
    interval: Interval


def read(model: TextModel, texts: Texts) -> Reading:
    """Score a model on texts.

    As in validation, a long document is cut into segments. The model reads some text
    before each segment, so the cuts hardly affect the score.
    """
    start = time.perf_counter()
    encoded = [model.tokenizer.encode_with_ends(text) for text in texts.documents]
    ids = [tokens for tokens, _ in encoded]
    nats = _document_nats(model.model, ids, end=texts.ends)
    seconds = time.perf_counter() - start
    units = []
    for text, (_, ends), of_tokens in zip(texts.documents, encoded, nats, strict=True):
        if texts.has_many:
            units.append(of_tokens.sum(keepdims=True))
            continue
        places = np.append(ends, len(text))[: len(of_tokens)]
        places = np.maximum(places, 1) - 1
        units.append(np.bincount(places, of_tokens, minlength=len(text)))
    unit_nats = np.concatenate(units)
    every = np.concatenate(nats)
    unknown = sum(map(model.tokenizer.count_unknown, ids))
    score = Score.of(float(every.sum()), len(every), texts.size, unknown)
    file_bytes = checkpoint.size_bytes(model)
    impossible = int(np.isinf(every).sum())
    return Reading(model, score, unit_nats, impossible, file_bytes, seconds)


def compare(readings: Sequence[Reading], texts: Texts) -> list[Compared]:
    """Compare each reading to the best one. The results are sorted by their bits."""
    ranked = sorted(readings, key=lambda reading: reading.score.nats)
    fewest = min(reading.score.unknown for reading in readings)
    fair = [
        reading.score.unknown - fewest <= MAX_UNKNOWN * reading.score.tokens
        for reading in ranked
    ]
    best = ranked[fair.index(True)]
    differences = [_difference(reading, best, texts) for reading in ranked]
    return [
        Compared(reading, is_fair, reading is best, *difference)
        for reading, is_fair, difference in zip(ranked, fair, differences, strict=True)
    ]


def _difference(
    reading: Reading, best: Reading, texts: Texts
) -> tuple[float, Interval]:
    """Return by how many bits per character a model is worse, with the interval."""
    if reading is best or not isfinite(best.score.nats):
        return nan, Interval(nan, nan)
    differences = (reading.unit_nats - best.unit_nats) / log(2)
    sizes = texts.unit_sizes
    interval = interval_of_ratio(differences, sizes, blocks=texts.blocks)
    return float(differences.sum() / sizes.sum()), interval


def _document_nats(
    model: LanguageModel, documents: Sequence[Ids], *, end: bool
) -> list[Nats]:
    """Return -ln p of each token of each document, like `batch_nats`."""
    starts = [range(0, max(1, len(ids)), SEGMENT) for ids in documents]
    pieces = [
        ids[max(0, at - WARM_UP) : at + SEGMENT]
        for ids, places in zip(documents, starts, strict=True)
        for at in places
    ]
    scored = iter(batch_nats(model, pieces, end=end))
    results = []
    for places in starts:
        # only the last segment includes the end
        sizes = [SEGMENT + (at == places[-1]) for at in places]
        counted = [
            next(scored)[min(at, WARM_UP) :][:size]
            for at, size in zip(places, sizes, strict=True)
        ]
        results.append(np.concatenate(counted))
    return results
