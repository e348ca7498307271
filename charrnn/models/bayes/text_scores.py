"""The scores of texts under naive Bayes: the prior, and a score per kind of n-gram.

The equations are in `model.py`. Letters: N texts, K = 1 + KINDS scores, L labels,
A smoothing values, M occurrences of n-grams, E entries.
"""

from collections.abc import Sequence

import numpy as np

from charrnn.models.base import Reals
from charrnn.models.bayes.label_counts import LabelCounts, Matches
from charrnn.models.bayes.ngram_keys import KINDS, ngram_keys
from charrnn.tokenizers.base import Ids


def text_scores(
    counts: LabelCounts,
    of_labels: Ids,
    texts: Sequence[str],
    smoothings: Sequence[float],
    own: Ids | None = None,
) -> Reals:
    """Return the scores (A, N, K, L) of texts for each smoothing.

    of_labels: the number of texts with each label, (L,). own: how often each text was
    counted with each label, (N, L). If given, these counts are subtracted.
    """
    N, L = len(texts), counts.size
    result = np.empty((len(smoothings), N, 1 + KINDS, L))
    result[:, :, 0] = np.log(of_labels - (0 if own is None else own) + 0.5)
    for kind, (at, keys) in enumerate(ngram_keys(texts)):
        matches = counts.match(at, keys)
        known, entries = np.ones(len(matches.texts)), matches.counts
        totals = counts.kind_totals[kind]
        if own is not None:
            known, entries = _without_own(counts, matches, own)
            lengths = np.bincount(at, minlength=N)
            # if rare n-grams were dropped, the difference could be negative
            totals = np.maximum(totals - own * lengths[:, None], 0)
        lengths = np.bincount(matches.texts, known, minlength=N)[:, None]
        cells = matches.texts[matches.rows] * L + matches.labels
        for scores, a in zip(result, smoothings, strict=True):
            # ln (c + a) / (C + a F) = ln (c / a + 1) - ln (C / a + F)
            gains = np.bincount(cells, np.log1p(entries / a), minlength=N * L)
            missing = lengths * np.log(totals / a + max(1, counts.kinds[kind]))
            scores[:, 1 + kind] = gains.reshape(N, L) - missing
    return result


def _without_own(counts: LabelCounts, matches: Matches, own: Ids) -> tuple[Reals, Ids]:
    """Return which n-grams occur in other texts, (M,), and the counts there, (E,)."""
    pairs = matches.texts * len(counts.totals) + matches.ngrams
    _, places, repeats = np.unique(pairs, return_inverse=True, return_counts=True)
    times = repeats[places]
    in_own = own.sum(axis=-1)[matches.texts] * times
    known = counts.totals[matches.ngrams] > in_own
    of_entries = own[matches.texts[matches.rows], matches.labels] * times[matches.rows]
    return known * 1.0, np.maximum(matches.counts - of_entries, 0)
