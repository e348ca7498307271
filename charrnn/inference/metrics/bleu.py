"""BLEU as sacrebleu 2.6 computes it by default (Papineni et al. 2002).

Text is tokenized as in NIST's mteval-v13a. If n-grams of several lengths have no match,
the k-th of these lengths has the precision 1 / (2^k total).
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from charrnn.inference.intervals import Reals

SIGNATURE: Final = "case:mixed|eff:no|tok:13a|smooth:exp"
ORDER: Final = 4  #: maximum length of n-grams, in words

_ENTITIES: Final = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_RULES: Final = (
    # ASCII symbols except apostrophe, comma, hyphen and full stop are words
    (re.compile(r"""([ !"#$%&()*+/:;<=>?@\[\\\]^_`{|}~])"""), r" \1 "),
    # full stops and commas are words unless they are between digits
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    # hyphens after digits are words
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokenize_13a(text: str) -> list[str]:
    """Return the words and punctuation marks of a text."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        line = line.replace(entity, character)
    line = f" {line} "
    for rule, replacement in _RULES:
        line = rule.sub(replacement, line)
    return line.split()


def bleu_statistics(predicted: str, references: Sequence[str]) -> list[int]:
    """Return the statistics of an example.

    These are the number of words, the number of words in the reference closest in
    length, the matches for each n, and the n-grams for each n. An n-gram matches if it
    occurs in any reference.
    """
    words = tokenize_13a(predicted)
    known: Counter[tuple[str, ...]] = Counter()
    lengths = []
    for reference in references:
        tokens = tokenize_13a(reference)
        lengths.append(len(tokens))
        known |= _ngrams(tokens)
    matches = [0] * ORDER
    guessed = _ngrams(words)
    for ngram in guessed.keys() & known.keys():
        matches[len(ngram) - 1] += min(guessed[ngram], known[ngram])
    totals = [max(0, len(words) - n) for n in range(ORDER)]
    closest = min(lengths, key=lambda length: (abs(length - len(words)), length))
    return [len(words), closest, *matches, *totals]


def bleu(sums: Reals) -> Reals:
    """Compute BLEU, from 0 to 100, from summed statistics: (..., 10) -> (...)."""
    words, reference_words = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + ORDER], sums[..., 2 + ORDER :]
    halvings = np.where(matches == 0, np.cumsum(matches == 0, axis=-1), 0)
    smoothed = np.where(matches == 0, 1, matches) / np.maximum(totals, 1)
    precisions = np.log(smoothed) - halvings * np.log(2)
    brevity = np.minimum(0, 1 - reference_words / np.maximum(words, 1))
    is_zero = (totals == 0).any(axis=-1) | (matches == 0).all(axis=-1)
    scores = 100 * np.exp(brevity + precisions.mean(axis=-1))
    return np.asarray(np.where(is_zero, 0, scores))


def _ngrams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    size = len(words) + 1
    orders = range(1, ORDER + 1)
    return Counter([tuple(words[at - n : at]) for n in orders for at in range(n, size)])
