"""Metrics of translators, against sacrebleu and by hand."""

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from charrnn.inference.metrics.bleu import tokenize_13a
from charrnn.inference.metrics.figure import groups_of
from charrnn.inference.metrics.translate import TranslateMetrics

WORDS = [
    "the",
    "cat",
    "sat",
    "3.5",
    "mat,",
    "a-b",
    "5-6",
    "don't",
    "(x)",
    "é.",
    "&amp;",
]
texts = st.text(st.sampled_from("ab 1.,-'&é\t"), max_size=30)


def random_texts(seed: int, size: int, words: int) -> tuple[list[str], list[list[str]]]:
    """Return predicted texts and two references of each, partly the same words."""
    rng = np.random.default_rng(seed)
    predicted, references = [], []
    for _ in range(size):
        text = rng.choice(WORDS, rng.integers(1, words))
        others = [
            np.where(rng.random(len(text)) < 0.7, text, rng.choice(WORDS, len(text)))
            for _ in "ab"
        ]
        predicted.append(" ".join(text))
        references.append([" ".join(other[rng.integers(0, 3) :]) for other in others])
    return predicted, references


@pytest.mark.parametrize("words", [2, 4, 6, 20])
@pytest.mark.parametrize("seed", range(5))
def test_bleu_and_chrf_are_those_of_sacrebleu(seed: int, words: int) -> None:
    predicted, references = random_texts(seed, 10, words)

    metrics = TranslateMetrics.of(references, predicted)

    streams = [[texts[k] for texts in references] for k in range(2)]
    reference = sacrebleu.corpus_bleu(predicted, streams).score
    assert metrics.bleu.value == pytest.approx(reference, abs=1e-9)
    reference = sacrebleu.corpus_chrf(predicted, streams).score
    assert metrics.chrf.value == pytest.approx(reference, abs=1e-9)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_any_pairs_of_texts_score_as_in_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    predicted, gold = [a for a, _ in pairs], [b for _, b in pairs]

    metrics = TranslateMetrics.of(gold, predicted)

    reference = sacrebleu.corpus_bleu(predicted, [gold]).score
    assert metrics.bleu.value == pytest.approx(reference, abs=1e-9)
    reference = sacrebleu.corpus_chrf(predicted, [gold]).score
    assert metrics.chrf.value == pytest.approx(reference, abs=1e-9)


@given(st.text(max_size=40))
def test_13a_tokens_are_those_of_sacrebleu(text: str) -> None:
    tokenize = sacrebleu.BLEU().tokenizer

    assert tokenize_13a(text) == tokenize(text.rstrip()).split()


def test_bleu_of_weighted_examples_is_sacrebleu_of_repeated_texts() -> None:
    predicted, references = random_texts(1, 30, 12)
    drawn = np.random.default_rng(1).integers(30, size=30)
    weights = np.zeros(30)
    weights[groups_of(30)] = np.bincount(drawn, minlength=30)

    figure = TranslateMetrics.of(references, predicted).bleu
    resampled = figure.of_sums(weights @ figure.sums)

    streams = [[references[k][i] for k in drawn] for i in range(2)]
    reference = sacrebleu.corpus_bleu([predicted[k] for k in drawn], streams).score
    assert resampled == pytest.approx(reference, abs=1e-9)
    assert figure.interval.low < figure.value < figure.interval.high


def test_exact_match_with_several_references_is_any_of_them() -> None:
    references = [["a b", "c"], ["d"], ["e", "f"]]

    metrics = TranslateMetrics.of(references, ["c", "d e", "f"])

    assert metrics.exact.value == pytest.approx(2 / 3)


def test_symbol_error_rate_is_a_ratio_of_sums_in_percent() -> None:
    references = ["a b c d", "a", "a b c"]
    predicted = ["a b c d", "b", "a x b c"]

    metrics = TranslateMetrics.of(references, predicted, split=str.split)

    # 0 + 1 + 1 errors of 4 + 1 + 3 symbols; the mean of ratios would be 44.4
    assert metrics.symbol_error_rate.value == pytest.approx(100 * 2 / 8)


def test_symbol_error_rate_counts_the_nearest_reference() -> None:
    metrics = TranslateMetrics.of([["abcd", "xyz"], ["q"]], ["xy", "q"])

    # 1 deletion from xyz, 0 from q: 1 of 3 + 1 symbols
    assert metrics.symbol_error_rate.value == pytest.approx(100 / 4)


def test_symbols_of_empty_references_give_no_rate() -> None:
    found = TranslateMetrics.of(["", ""], ["a", ""]).to_json()

    assert found["symbol_error_rate"] is None
    assert found["exact"] == 0.5


def test_json_has_the_names_of_the_command_line() -> None:
    names = ["exact", "symbol_error_rate", "bleu", "chrf"]

    found = TranslateMetrics.of(["a", "b"], ["a", "b"]).to_json()

    figures = [n + e for n in names for e in ("", "_interval")]
    signatures = ["bleu_signature", "chrf_signature"]
    assert [*found] == ["examples", *figures, *signatures]


def test_an_example_without_references_is_refused() -> None:
    with pytest.raises(ValueError, match="no reference"):
        TranslateMetrics.of([["a"], []], ["a", "b"])
