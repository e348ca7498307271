"""How often each n-gram occurs with each label, as two sorted arrays.

Each entry has a key (E,), from `ngram_keys.py` with a label in the lowest bits, and a
count (E,): how often the n-gram occurs in texts with that label. The entries of an
n-gram are adjacent, and so are those of each kind of n-gram.

Letters: N texts, M occurrences of n-grams in them, E entries, F distinct n-grams,
L labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.models.bayes.ngram_keys import (
    KINDS,
    LABEL_BITS,
    Keys,
    kind_of,
    ngram_keys,
)
from charrnn.models.ngram.counts import ranges
from charrnn.tokenizers.base import Ids

MAX_ENTRIES: Final = 150_000  #: in a model file, at 9 to 12 bytes each

_CHUNK: Final = 1 << 19  #: number of characters that are counted at a time
_MAX_COUNTED: Final = 1 << 22  #: with more entries, rare ones are dropped
_LABELS: Final = np.uint64((1 << LABEL_BITS) - 1)


class Matches(NamedTuple):
    """The known n-grams in texts, and their entries.

    texts, ngrams: the text and the distinct n-gram of each occurrence, (M,). rows: the
    occurrence that each entry belongs to, (E,). labels, counts: the label and the count
    of each entry, (E,).
    """

    texts: Ids
    ngrams: Ids
    rows: Ids
    labels: Ids
    counts: Ids


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Counts of n-grams with labels below `size`."""

    keys: Keys
    counts: npt.NDArray[Any]
    size: int

    @classmethod
    def of(cls, texts: Sequence[str], labels: Ids, size: int) -> "LabelCounts":
        """Count the n-grams of texts with their labels, (N,)."""
        keys, counts = np.empty(0, np.uint64), np.empty(0, np.int64)
        for chunk in chunks(texts, _CHUNK):
            of_texts = labels[chunk].astype(np.uint64)
            found = [keys | of_texts[at] for at, keys in ngram_keys(texts[chunk])]
            new = np.unique(np.concatenate(found), return_counts=True)
            keys, counts = _merged((keys, counts), new)
            if len(keys) > _MAX_COUNTED:
                keys, counts = keys[counts > 1], counts[counts > 1]
        return cls(keys, counts, size)

    @cached_property
    def totals(self) -> Ids:
        """How often each n-gram occurs with any label, (F,)."""
        ends = np.append(0, np.cumsum(self.counts, dtype=np.int64))
        return np.diff(ends[self._starts])

    @cached_property
    def kinds(self) -> Ids:
        """The number of distinct n-grams of each kind, (KINDS,)."""
        return np.bincount(kind_of(self._ngrams), minlength=KINDS)

    @cached_property
    def kind_totals(self) -> Ids:
        """The number of n-grams of each kind and label, (KINDS, L)."""
        cells = kind_of(self.keys) * self.size + self._labels
        sums = np.bincount(cells, self.counts, minlength=KINDS * self.size)
        return sums.astype(np.int64).reshape(KINDS, self.size)

    def match(self, texts: Ids, keys: Keys) -> Matches:
        """Return the known n-grams among those that `ngram_keys` yields."""
        places = np.searchsorted(self._ngrams, keys)
        places = np.minimum(places, len(self._ngrams) - 1)
        is_known = self._ngrams[places] == keys
        ngrams = places[is_known]
        firsts, ends = self._starts[ngrams], self._starts[ngrams + 1]
        entries = ranges(firsts, ends - firsts)
        rows = np.repeat(np.arange(len(ngrams)), ends - firsts)
        counts = self.counts[entries].astype(np.int64)
        return Matches(texts[is_known], ngrams, rows, self._labels[entries], counts)

    def pruned(self, most: int = MAX_ENTRIES) -> "LabelCounts":
        """Return at most `most` entries: those of the most frequent n-grams.

        The counts have the smallest integer type that fits.
        """
        sizes = np.diff(self._starts)
        order = np.argsort(-self.totals, kind="stable")
        is_kept = np.zeros(len(sizes), bool)
        is_kept[order] = np.cumsum(sizes[order]) <= most
        of_entries = np.repeat(is_kept, sizes)
        counts = self.counts[of_entries]
        smallest = np.min_scalar_type(int(counts.max(initial=0)))
        return LabelCounts(self.keys[of_entries], counts.astype(smallest), self.size)

    @cached_property
    def _starts(self) -> Ids:
        """Where the entries of each n-gram start, and where the last ends, (F + 1,)."""
        ngrams = self.keys >> np.uint64(LABEL_BITS)
        return np.append(_firsts(ngrams), len(ngrams))

    @cached_property
    def _ngrams(self) -> Keys:
        """The key of each n-gram, without label, (F,)."""
        return self.keys[self._starts[:-1]] & ~_LABELS

    @cached_property
    def _labels(self) -> Ids:
        """The label of each entry, (E,)."""
        return (self.keys & _LABELS).astype(np.int64)


def chunks(texts: Sequence[str], size: int) -> Iterator[slice]:
    """Yield slices of consecutive texts, each with about `size` characters.

    Each text counts as 64 characters more, so that no slice has too many texts.
    """
    start, limit = 0, size
    for index, end in enumerate(accumulate(len(text) + 64 for text in texts), 1):
        if end >= limit or index == len(texts):
            yield slice(start, index)
            start, limit = index, end + size


def _merged(first: tuple[Keys, Ids], second: tuple[Keys, Ids]) -> tuple[Keys, Ids]:
    """Return the sorted keys of both, with the sums of their counts."""
    keys = np.concatenate([first[0], second[0]])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], np.concatenate([first[1], second[1]])[order]
    firsts = _firsts(keys)
    return keys[firsts], np.add.reduceat(counts, firsts)


def _firsts(values: Keys) -> Ids:
    """Return where each run of equal values starts."""
    return np.flatnonzero(np.append(True, values[1:] != values[:-1])[: len(values)])
