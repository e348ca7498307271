"""The n-gram model: the probabilities of a worked example, and of other counters."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.lm import KneserNeyInterpolated
from nltk.lm.vocabulary import Vocabulary
from support.ngrams import EIGHT, corpora, distribution, fit_ngrams, orders

from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.counts import FALLBACK_DISCOUNTS, discounts
from charrnn.models.ngram.model import NgramModel

ATOL = 1e-6  # float32 logits


def occurrences(documents: Sequence[Sequence[int]], order: int) -> Counter:
    """Return how often each n-gram that ends in a token to predict occurs."""
    closed = [(0, *ids, 0) for ids in documents]
    return Counter(
        ids[end - k : end]
        for ids in closed
        for end in range(2, len(ids) + 1)
        for k in range(1, min(order, end) + 1)
    )


# --- worked by hand

# The nine tokens are 0 and EIGHT, a b a a b c a b with a = 1, b = 2, c = 3.
# Last level, occurrences: 0ab aba baa aab abc bca cab, each 1.
# Two tokens, how many different ones come before: ab 3 (0, a, c); ba, aa, bc, ca 1;
# 0a begins with the boundary, before which nothing comes: it occurs once.
# One token: a 4 (after 0, b, a, c), b 1 (after a), c 1 (after b), the boundary 0.
# At no level is there a count of 2, so the discounts are (1/2, 1, 3/2) everywhere.
#
#   p(0)  (0        + 5/2 * 1/4) / 6 = 0.625 / 6      5/2: taken off a, b and c,
#   p(a)  (4 - 3/2  + 5/2 * 1/4) / 6 = 3.125 / 6           3/2 + 1/2 + 1/2
#   p(b) = p(c)
#         (1 - 1/2  + 5/2 * 1/4) / 6 = 1.125 / 6
NOTHING = np.array([0.625, 3.125, 1.125, 1.125]) / 6
AFTER_A = np.array([0, 1 - 1 / 2, 3 - 3 / 2, 0]) / 4 + 2 / 4 * NOTHING
AFTER_B = np.array([0, 1 / 2, 0, 1 / 2]) / 2 + 1 / 2 * NOTHING
AFTER_C = np.array([0, 1 / 2, 0, 0]) / 1 + 1 / 2 * NOTHING

WORKED = {
    (1,): AFTER_A,
    (2,): AFTER_B,
    (3,): AFTER_C,
    (0,): np.array([0, 1 / 2, 0, 0]) + 1 / 2 * NOTHING,
    (0, 1): np.array([0, 0, 1 / 2, 0]) + 1 / 2 * AFTER_A,
    (1, 1): np.array([0, 0, 1 / 2, 0]) + 1 / 2 * AFTER_A,
    (1, 2): np.array([0, 1 / 2, 0, 1 / 2]) / 2 + 1 / 2 * AFTER_B,
    (2, 1): np.array([0, 1 / 2, 0, 0]) + 1 / 2 * AFTER_A,
    (2, 3): np.array([0, 1 / 2, 0, 0]) + 1 / 2 * AFTER_C,
    (3, 1): np.array([0, 0, 1 / 2, 0]) + 1 / 2 * AFTER_A,
    # never seen: as after the last token alone
    (1, 3): AFTER_C,
    (2, 2): AFTER_B,
    (3, 2): AFTER_B,
    (3, 3): AFTER_C,
    # only the last two count
    (1, 2, 1, 2): np.array([0, 1 / 2, 0, 1 / 2]) / 2 + 1 / 2 * AFTER_B,
}


@pytest.mark.parametrize("context", WORKED, ids=str)
def test_probabilities_after_nine_tokens_worked_by_hand(context: tuple) -> None:
    model = fit_ngrams([EIGHT], NgramConfig(4, order=3), end=False)

    found = distribution(model, context)

    np.testing.assert_allclose(found, WORKED[context], atol=ATOL)


def test_order_of_one_is_the_share_of_each_token_whatever_came_before() -> None:
    # a 4, b 3, c 1 and no end; without a count of 2 the discounts are 3/2, 3/2, 1/2
    model = fit_ngrams([EIGHT], NgramConfig(4, order=1), end=False)

    expected = (np.array([0, 4 - 1.5, 3 - 1.5, 1 - 0.5]) + 3.5 / 4) / 8
    for context in ((0,), (1, 2)):
        np.testing.assert_allclose(distribution(model, context), expected, atol=ATOL)


def test_discounts_are_those_of_chen_and_goodman() -> None:
    # n1 = 10, n2 = 4, n3 = 2, n4 = 1, so Y = 10 / 18
    counts = np.array([1] * 10 + [2] * 4 + [3] * 2 + [4] + [0, 7, 9], np.uint8)

    found = discounts(counts)

    y = 10 / 18
    expected = (1 - 2 * y * 4 / 10, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    "counts",
    [
        [],
        [1, 1, 2, 2],  # no 3: D2 would be 2 and leave nothing
        [2, 2, 3, 4],  # no 1: Y would be 0
        [1] * 9 + [2] + [3] * 9,  # D2 = 2 - 3 * 9/11 * 9 is negative
    ],
    ids=str,
)
def test_discounts_of_odd_counts_are_the_fallback(counts: list[int]) -> None:
    assert discounts(np.array(counts, np.uint8)) == FALLBACK_DISCOUNTS


# --- other counters of the same


def plain_kneser_ney(
    seen: Counter, context: tuple[int, ...], V: int, order: int
) -> np.ndarray:
    """Return p(. | context) by the equations, with dictionaries; context: known."""
    k = len(context) + 1
    counts = {g: n for g, n in seen.items() if len(g) == k}
    if k < order:
        before = Counter(g[1:] for g in seen if len(g) == k + 1)
        # alone, a boundary is an end; with others, it opens
        counts = {g: n if k > 1 and not g[0] else before[g] for g, n in counts.items()}
    taken = (0, *discounts(np.array(list(counts.values()), np.uint64)))
    own = np.array([counts.get((*context, w), 0) for w in range(V)])
    shorter = plain_kneser_ney(seen, context[1:], V, order) if k > 1 else 1 / V
    if not own.sum():
        return np.broadcast_to(shorter, V)
    off = np.array([taken[min(n, 3)] for n in own])
    return (own - off) / own.sum() + off.sum() / own.sum() * shorter


@given(corpora, orders)
def test_kneser_ney_is_that_of_the_plain_equations(corpus, order) -> None:
    model = fit_ngrams(corpus, NgramConfig(4, order))
    seen = occurrences(corpus, order)

    for ids in corpus:
        text = (0, *ids)
        found, _ = model.forward(np.array([text]), model.initial_state(1))
        for t in range(len(text)):
            context = text[max(0, t + 2 - order) : t + 1] if order > 1 else ()
            expected = plain_kneser_ney(seen, context, 4, order)
            np.testing.assert_allclose(np.exp(found[0, t]), expected, atol=ATOL)


@pytest.mark.parametrize("discount", [0.1, 0.75])
def test_kneser_ney_with_one_discount_is_that_of_nltk(discount: float) -> None:
    # NLTK has one discount for all, and none at the lowest level, where it does not
    # mix with the uniform distribution. What comes after an opening boundary is not
    # compared: there NLTK divides by a count of 0.
    rng = np.random.default_rng(0)
    corpus = [rng.integers(1, 5, 60).tolist() for _ in range(3)]
    ours = fit_ngrams(corpus, NgramConfig(5, order=3))
    rows = np.array([(0.0,) * 3, (discount,) * 3, (discount,) * 3])
    ours = NgramModel(ours.config, ours.tensors() | {"discounts": rows})
    theirs = KneserNeyInterpolated(3, discount, vocabulary=Vocabulary("01234"))
    theirs.fit([[tuple(map(str, g)) for g in occurrences(corpus, 3).elements()]])

    for context in [(a, b) for a in range(1, 5) for b in range(1, 5)]:
        expected = [theirs.score(str(w), list(map(str, context))) for w in range(5)]
        np.testing.assert_allclose(distribution(ours, context), expected, atol=ATOL)


@given(corpora, st.integers(2, 4), st.sampled_from([0.0, 0.01, 2.5]))
def test_addk_and_mle_are_shares_of_direct_counts(corpus, order, k) -> None:
    smoothing = "addk" if k else "mle"
    model = fit_ngrams(corpus, NgramConfig(4, order, smoothing, k=k or 1.0))
    seen = occurrences(corpus, order)

    for ids in [*corpus, [3, 2, 1, 1, 2, 3]]:  # the last with contexts never seen
        text = (0, *ids)
        found, _ = model.forward(np.array([text]), model.initial_state(1))
        for t in range(len(text)):
            context = text[max(0, t + 2 - order) : t + 1]
            own = np.array([seen[(*context, w)] for w in range(4)])
            total = own.sum() + 4 * k
            expected = (own + k) / total if total else np.full(4, 1 / 4)
            np.testing.assert_allclose(np.exp(found[0, t]), expected, atol=ATOL)
