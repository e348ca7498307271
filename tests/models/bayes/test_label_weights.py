"""Weights of scores: recovered from samples, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from charrnn.models.bayes.label_weights import fit_weights


def sample(
    size: int, weights: list[float], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, and labels drawn with the probabilities that the weights give."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (size, len(weights), count))
    noise = rng.gumbel(size=(size, count))
    drawn = (np.einsum("nkl,k->nl", scores, weights) + noise).argmax(axis=-1)
    return scores, np.eye(count)[drawn]


def test_weights_are_recovered_from_drawn_labels() -> None:
    weights = [1.0, 0.3, -0.2, 0.0]

    found, _ = fit_weights(*sample(20_000, weights, 4))

    assert found == pytest.approx(weights, abs=0.03)


def test_two_labels_give_the_weights_of_logistic_regression() -> None:
    scores, labels = sample(300, [0.8, -0.4], 2)

    found, _ = fit_weights(scores, labels)

    # the penalty is 1/2 on weights of scores with a root mean square of 1
    centered = scores - scores.mean(axis=-1, keepdims=True)
    scales = np.sqrt(np.square(centered).mean(axis=(0, 2)))
    differences = (scores[..., 1] - scores[..., 0]) / scales
    reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10)
    reference.fit(differences, labels[:, 1])
    assert found == pytest.approx(reference.coef_[0] / scales, abs=1e-4)


def test_an_example_that_counts_three_times_is_worth_three_examples() -> None:
    scores, labels = sample(200, [1.0, 0.5], 3)
    counts = np.arange(200) % 4

    found, nats = fit_weights(scores, labels * counts[:, None])
    repeated, same_nats = fit_weights(
        scores.repeat(counts, 0), labels.repeat(counts, 0)
    )

    # the scales of the penalty are those of distinct examples
    assert found == pytest.approx(repeated, rel=0.01)
    assert nats == pytest.approx(same_nats, rel=0.01)


def test_scores_in_thousands_are_fitted_as_well() -> None:
    scores, labels = sample(2000, [1.0, 0.5], 3)

    found, nats = fit_weights(scores, labels)
    large, same_nats = fit_weights(scores * 5000, labels)

    assert large * 5000 == pytest.approx(found, rel=1e-4)
    assert same_nats == pytest.approx(nats, abs=1e-6)


def test_perfect_scores_do_not_give_infinite_weights() -> None:
    labels = np.eye(3)[np.arange(30) % 3]

    weights, nats = fit_weights(labels[:, None] * 1.0, labels)

    assert np.isfinite(weights).all()
    assert nats < 0.5


def test_scores_that_say_nothing_leave_the_uniform_distribution() -> None:
    labels = np.eye(4)[np.arange(40) % 4]

    _, nats = fit_weights(np.ones((40, 2, 4)), labels)

    assert nats == pytest.approx(np.log(4), abs=1e-9)
