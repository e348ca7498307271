"""Naive Bayes: its equations by hand and against scikit-learn, and its laws."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from support.bayes import fit_bayes

from charrnn.inference.metrics.classify import ClassifyMetrics
from charrnn.models.bayes.model import BayesModel
from charrnn.models.bayes.ngram_keys import KINDS

WORDS = {"it": "gli amici della sera", "en": "the friends of an evening"}


def examples(size: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return texts of three words with their language; a tenth have a wrong label."""
    rng = np.random.default_rng(seed)
    languages = rng.choice(["it", "en"], size)
    texts = [" ".join(rng.choice(WORDS[one].split(), 3)) for one in languages]
    other = np.where(languages == "it", "en", "it")
    return texts, np.where(rng.random(size) < 0.1, other, languages).tolist()


def only(kind: int, smoothing: float, model: BayesModel) -> BayesModel:
    """Return the same counts, with weight 1 for the prior and one kind of n-gram."""
    weights = [0.0] * (1 + KINDS)
    weights[0] = weights[1 + kind] = 1.0
    config = replace(model.config, smoothing=smoothing, weights=tuple(weights))
    return BayesModel(config, model.tensors())


def test_probabilities_of_words_by_hand() -> None:
    model = only(4, 1.0, fit_bayes(["a b", "a", "c"], ["x", "x", "y"]))

    found = np.exp(model.log_probabilities(["a d"]))[0]

    # x: a 2, b 1, boundary 4, 7 in all; y: c 1, boundary 2, 3 in all; 4 distinct words.
    # "a d" has two boundaries and a; d is unknown. Labels: (2 + 1/2) to (1 + 1/2).
    x = 2.5 * (4 + 1) ** 2 * (2 + 1) / (7 + 4) ** 3
    y = 1.5 * (2 + 1) ** 2 * (0 + 1) / (3 + 4) ** 3
    assert found == pytest.approx([x / (x + y), y / (x + y)], abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_probabilities_are_those_of_scikit_learn_for_each_length(n: int) -> None:
    texts, labels = examples(200)
    new_texts = examples(50, seed=1)[0]
    model = only(n - 1, 0.3, fit_bayes(texts, labels))

    vectorizer = CountVectorizer(analyzer="char", ngram_range=(n, n), lowercase=False)
    counts = vectorizer.fit_transform([f"<{text}<" for text in texts])
    sizes = np.array([labels.count("en"), labels.count("it")]) + 0.5
    reference = MultinomialNB(alpha=0.3, class_prior=sizes / sizes.sum())
    reference.fit(counts, labels)
    expected = reference.predict_log_proba(
        vectorizer.transform([f"<{text}<" for text in new_texts])
    )

    np.testing.assert_allclose(model.log_probabilities(new_texts), expected, atol=1e-9)


@given(st.lists(st.tuples(st.text(), st.sampled_from("abc")), min_size=1, max_size=9))
def test_any_texts_can_be_counted_and_probabilities_sum_to_one(
    pairs: list[tuple[str, str]],
) -> None:
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]

    model = fit_bayes(texts, labels)

    sums = np.exp(model.log_probabilities([*texts, "", "new \ud800"])).sum(axis=-1)
    np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_a_text_has_the_same_probabilities_in_any_company() -> None:
    texts, labels = examples(300)
    model = fit_bayes(texts, labels)

    together = model.log_probabilities(texts)

    alone = [model.log_probabilities([text])[0] for text in texts[:20]]
    np.testing.assert_allclose(together[:20], alone, atol=1e-12)


def test_order_of_examples_does_not_matter_to_the_counts() -> None:
    texts, labels = examples(300)

    model = fit_bayes(texts, labels)
    reverse = fit_bayes(texts[::-1], labels[::-1])

    for name, array in model.tensors().items():
        np.testing.assert_array_equal(array, reverse.tensors()[name])
    np.testing.assert_allclose(model.config.weights, reverse.config.weights, atol=1e-6)


def test_certainty_on_known_texts_is_that_of_the_labels_not_of_the_counts() -> None:
    texts, labels = examples(2000)
    wrong = np.random.default_rng(2).random(2000) < 0.3
    swapped = {"it": "en", "en": "it"}
    noisy = [swapped[x] if w else x for x, w in zip(labels, wrong, strict=True)]

    p = np.exp(fit_bayes(texts, noisy).log_probabilities(texts)).max(axis=-1)

    # a tenth of wrong labels, then 0.3: 0.9 * 0.7 + 0.1 * 0.3 = 0.66 are right
    assert p.mean() == pytest.approx(0.66, abs=0.03)


def test_repeated_texts_are_not_mistaken_for_evidence() -> None:
    # labels are coin tosses, but each text occurs five times with the same label
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice([*"abcdefgh"], 12)) for _ in range(400)]
    labels = rng.choice(["x", "y"], 400).tolist()
    new_texts = ["".join(rng.choice([*"abcdefgh"], 12)) for _ in range(400)]

    model = fit_bayes(texts * 5, labels * 5)

    p = np.exp(model.log_probabilities(new_texts)).max(axis=-1)
    assert p.mean() < 0.65


def test_predictions_are_calibrated_on_new_texts() -> None:
    model = fit_bayes(*examples(1000))
    texts, labels = examples(4000, seed=1)

    p = np.exp(model.log_probabilities(texts))

    predicted = np.array(["en", "it"])[p.argmax(axis=-1)].tolist()
    metrics = ClassifyMetrics.of(labels, predicted, probabilities=p.max(axis=-1))
    assert metrics.accuracy.value == pytest.approx(0.9, abs=0.02)
    assert metrics.calibration_error is not None
    assert metrics.calibration_error.value < 0.03


def test_rebuilt_model_gives_the_same_probabilities() -> None:
    texts, labels = examples(100)
    model = fit_bayes(texts, labels)

    rebuilt = BayesModel.build(model.config_json(), model.tensors())

    np.testing.assert_array_equal(
        rebuilt.log_probabilities(texts), model.log_probabilities(texts)
    )


def test_a_single_label_is_certain() -> None:
    model = fit_bayes(["a", "b"], ["x", "x"])

    assert model.log_probabilities(["c"]).tolist() == [[0.0]]


def test_eighteen_thousand_names_are_counted_in_ten_seconds_and_stay_small() -> None:
    rng = np.random.default_rng(4)
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    texts = ["".join(rng.choice(letters, 8)) for _ in range(18_000)]
    labels = rng.choice([f"label {k}" for k in range(18)], 18_000).tolist()

    start = time.perf_counter()
    model = fit_bayes(texts, labels)
    counted = time.perf_counter()
    model.log_probabilities(texts[:10_000])

    assert counted - start < 10  # 2 s alone on the machine
    assert time.perf_counter() - counted < 3  # 0.4 s
    assert sum(array.nbytes for array in model.tensors().values()) < 2_000_000


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("keys", lambda keys: keys[::-1], "not sorted"),
        ("keys", lambda keys: keys + np.uint64(7), "unknown labels"),
        ("keys", lambda keys: keys.astype(np.int64), "int64"),
        ("keys", lambda keys: keys[:0], "keys has type"),
        ("keys", lambda keys: np.append(keys[:-1], ~np.uint64(0xFFFF)), "kinds"),
        ("counts", lambda counts: counts * 0, "positive count"),
        ("counts", lambda counts: counts[1:], "positive count"),
        ("labels", lambda labels: labels[::-1], "not sorted"),
        ("labels", lambda labels: labels + 1, "unknown labels"),
        ("labels", lambda labels: labels - 1, "unknown labels"),
        ("labels", lambda labels: labels.astype(np.int32), "int32"),
        ("labels", lambda labels: labels[:0], "labels has type"),
        ("label_counts", lambda counts: -counts, "count for each label"),
        ("label_counts", lambda counts: counts[1:], "count for each label"),
        ("pieces", lambda pieces: pieces[1:], "piece_sizes"),
        ("pieces", lambda pieces: pieces.astype(np.int8), "int8"),
        ("piece_sizes", lambda sizes: -sizes, "piece_sizes"),
        ("piece_sizes", lambda sizes: sizes[1:], "piece_sizes"),
    ],
)
def test_damaged_tensors_are_refused(name: str, change: object, why: str) -> None:
    model = fit_bayes(["a b", "c"], ["x", "y"])
    assert callable(change)
    tensors = model.tensors()
    tensors[name] = change(tensors[name])

    with pytest.raises(ValueError, match=why):
        BayesModel.build(model.config_json(), tensors)


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": 2},
        {"source_size": 4},
        {"smoothing": 0.0},
        {"smoothing": math.nan},
        {"weights": [1.0]},
        {"weights": [math.inf] * (1 + KINDS)},
        {"more": 1},
    ],
)
def test_damaged_configs_are_refused(change: dict[str, object]) -> None:
    model = fit_bayes(["a b", "c"], ["x", "y"])

    with pytest.raises(ValueError, match=r"label|source|smoothing|weight|more"):
        BayesModel.build(model.config_json() | change, model.tensors())
