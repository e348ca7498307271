"""Counts of n-grams with labels, against counting by hand, and leaving texts out."""

from collections import Counter

import numpy as np
import pytest

from charrnn.models.bayes import label_counts
from charrnn.models.bayes.label_counts import LabelCounts
from charrnn.models.bayes.ngram_keys import CHARACTERS, KINDS, kind_of, ngram_keys
from charrnn.models.bayes.text_scores import text_scores

SMOOTHINGS = [1.0, 0.1]


def texts_with_labels(size: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(0)
    texts = [
        " ".join("".join(rng.choice([*"abA-é"], n)) for n in rng.integers(0, 5, 3))
        for _ in range(size)
    ]
    return texts, rng.integers(0, 3, size)


def count_by_hand(text: str) -> Counter[tuple[int, tuple[str, ...]]]:
    """Return the n-grams of a text of letters and hyphens, with their kind."""
    words = text.lower().replace("-", " - ").split()
    units = ["", *text, ""], ["", *words, ""]
    return Counter(
        (kind, tuple(units[kind >= CHARACTERS][at : at + n]))
        for kind, n in enumerate([1, 2, 3, 4, 1, 2])
        for at in range(len(units[kind >= CHARACTERS]) - n + 1)
    )


def test_counts_are_those_of_counting_by_hand() -> None:
    texts, labels = texts_with_labels(200)

    counts = LabelCounts.of(texts, labels, 3)

    expected: Counter[tuple[int, tuple[str, ...], int]] = Counter()
    for text, label in zip(texts, labels.tolist(), strict=True):
        for (kind, ngram), count in count_by_hand(text).items():
            expected[kind, ngram, label] += count
    by_kind = [
        sorted(count for (kind, _, _), count in expected.items() if kind == k)
        for k in range(KINDS)
    ]
    kinds = kind_of(counts.keys)
    found = [sorted(counts.counts[kinds == k].tolist()) for k in range(KINDS)]
    assert found == by_kind
    for k in range(KINDS):
        ngrams = {ngram for kind, ngram, _ in expected if kind == k}
        assert counts.kinds[k] == len(ngrams)
        for label in range(3):
            of_label = [
                n for (kind, _, x), n in expected.items() if (kind, x) == (k, label)
            ]
            assert counts.kind_totals[k, label] == sum(of_label)


def test_counting_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = texts_with_labels(200)
    whole = LabelCounts.of(texts, labels, 3)

    monkeypatch.setattr(label_counts, "_CHUNK", 500)

    chunked = LabelCounts.of(texts, labels, 3)
    np.testing.assert_array_equal(chunked.keys, whole.keys)
    np.testing.assert_array_equal(chunked.counts, whole.counts)


def test_pruning_keeps_the_most_frequent_ngrams_whole() -> None:
    counts = LabelCounts.of(*texts_with_labels(300), 3)

    pruned = counts.pruned(100)

    assert 90 <= len(pruned.keys) <= 100
    assert pruned.totals.min() >= np.sort(counts.totals)[::-1][len(pruned.totals)]
    is_kept = np.isin(counts.keys >> np.uint64(16), pruned.keys >> np.uint64(16))
    np.testing.assert_array_equal(counts.keys[is_kept], pruned.keys)
    np.testing.assert_array_equal(counts.counts[is_kept], pruned.counts)


def test_scores_without_own_counts_are_those_of_counting_the_other_texts() -> None:
    texts, labels = texts_with_labels(60)
    texts[7], labels[7] = texts[3], labels[3] + 1 if labels[3] < 2 else 0
    texts[8], labels[8] = texts[3], labels[3]
    every = LabelCounts.of(texts, labels, 3)
    # a text that occurs several times is left out each time
    own = np.array(
        [np.bincount(labels[[t == text for t in texts]], minlength=3) for text in texts]
    )
    sizes = np.bincount(labels, minlength=3)

    found = text_scores(every, sizes, texts, SMOOTHINGS, own)

    for k in (0, 3, 20):
        others = [n for n, text in enumerate(texts) if text != texts[k]]
        left = LabelCounts.of([texts[n] for n in others], labels[others], 3)
        expected = text_scores(
            left, np.bincount(labels[others], minlength=3), [texts[k]], SMOOTHINGS
        )
        # the number of distinct n-grams is that of all texts
        for a, smoothing in enumerate(SMOOTHINGS):
            known = [
                np.isin(keys, left.keys >> np.uint64(16) << np.uint64(16)).sum()
                for _, keys in ngram_keys([texts[k]])
            ]
            shift = [
                n
                * (
                    np.log(left.kind_totals[kind] / smoothing + left.kinds[kind])
                    - np.log(left.kind_totals[kind] / smoothing + every.kinds[kind])
                )
                for kind, n in enumerate(known)
            ]
            np.testing.assert_allclose(
                found[a, k, 1:], expected[a, 0, 1:] + shift, atol=1e-9
            )
            np.testing.assert_allclose(found[a, k, 0], expected[a, 0, 0], atol=1e-12)


def test_distinct_ngrams_have_distinct_keys() -> None:
    texts = [f"{n:06}" for n in range(100_000)]

    (_, keys) = list(ngram_keys(texts))[3]

    # 4-grams of the digits and boundaries: 10^4 inside, 10^3 at each end
    assert len(np.unique(keys)) == 10_000 + 100 + 1000
