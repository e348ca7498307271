"""chrF as sacrebleu 2.6 computes it by default (Popović 2015).

It compares n-grams of 1 to 6 characters, without whitespace. Recall counts twice as
much as precision.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from charrnn.inference.intervals import Reals

SIGNATURE: Final = "case:mixed|eff:yes|nc:6|nw:0|space:no"
ORDER: Final = 6  #: maximum length of n-grams, in characters
BETA: Final = 2  #: weight of recall


def chrf_statistics(predicted: str, references: Sequence[str]) -> list[int]:
    """Return the statistics of an example for the most similar reference.

    For each n, these are the number of predicted n-grams (0 if the reference has none),
    the number of n-grams in the reference, and the number of matches.
    """
    letters = "".join(predicted.split())
    guessed = _ngrams(letters)
    rows = []
    for reference in references:
        other_letters = "".join(reference.split())
        known = _ngrams(other_letters)
        matches = [0] * ORDER
        for ngram in guessed.keys() & known.keys():
            matches[len(ngram) - 1] += min(guessed[ngram], known[ngram])
        row = []
        for n in range(ORDER):
            ours, theirs = max(0, len(letters) - n), max(0, len(other_letters) - n)
            row += [ours if theirs else 0, theirs, matches[n]]
        rows.append(row)
    if len(rows) == 1:
        return rows[0]
    return max(rows, key=lambda row: float(chrf(np.array(row, np.float64))))


def chrf(sums: Reals) -> Reals:
    """Compute chrF, from 0 to 100, from summed statistics: (..., 18) -> (...).

    Precision and recall are means over every n for which both sides have n-grams.
    """
    counts = sums.reshape(*sums.shape[:-1], ORDER, 3)
    guessed, known, matches = np.moveaxis(counts, -1, 0)
    occurs = (guessed > 0) & (known > 0)
    orders = np.maximum(occurs.sum(axis=-1), 1)
    precision, recall = (
        np.where(occurs, matches / np.maximum(total, 1), 0).sum(axis=-1) / orders
        for total in (guessed, known)
    )
    weighted = BETA**2 * precision + recall
    product = (1 + BETA**2) * precision * recall
    return np.asarray(100 * product / np.where(weighted > 0, weighted, 1))


def _ngrams(letters: str) -> Counter[str]:
    size = len(letters) + 1
    orders = range(1, ORDER + 1)
    return Counter([letters[at - n : at] for n in orders for at in range(n, size)])
