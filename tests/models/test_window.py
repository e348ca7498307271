"""The fixed-window network: worked by hand, and how it trains."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.models import random_network
from support.training import metrics, request, same, train, validations

import charrnn as package
from charrnn.errors import UsageError
from charrnn.models.window.config import WindowConfig
from charrnn.models.window.model import WindowModel
from charrnn.training.request import Request

pytestmark = pytest.mark.usefixtures("small_corpora")

SIZES = {"order": 4, "hidden": 8, "embed": 4}


def window(documents: str = "file", **given: Any) -> Any:
    """Return a request for a small window network."""
    return request(documents, family="window", **SIZES | given)


# --- worked by hand


def test_two_tokens_of_a_trigram_network_worked_by_hand() -> None:
    # V = 3, N = 3, E = H = 1: token 0 is embedded as 0.5, token 1 as -1, token 2 as 2
    config = WindowConfig(3, order=3, hidden=1, embed=1, direct=True)
    tensors = {
        "embedding.weight": [[0.5], [-1.0], [2.0]],
        "hidden.weight": [[0.3, 0.7]],
        "hidden.bias": [0.1],
        "head.weight": [[1.0], [2.0], [-3.0]],
        "head.bias": [0.0, 0.5, 0.0],
        "direct.weight": [[0.0, 1.0], [0.0, 0.0], [4.0, 0.0]],
    }
    arrays = {name: np.array(x, np.float32) for name, x in tensors.items()}
    model = WindowModel(config, arrays)

    logits, (state,) = model.forward(np.array([[1, 2]]), model.initial_state(1))

    first = math.tanh(0.1 + 0.3 * 0.5 + 0.7 * -1)  # after the boundary, 0, and 1
    second = math.tanh(0.1 + 0.3 * -1 + 0.7 * 2)
    expected = [
        [first - 1, 2 * first + 0.5, -3 * first + 4 * 0.5],
        [second + 2, 2 * second + 0.5, -3 * second + 4 * -1],
    ]
    np.testing.assert_allclose(logits[0], expected, atol=1e-6)
    np.testing.assert_array_equal(state, [[1, 2]])


def test_token_that_left_the_window_makes_no_difference() -> None:
    model = random_network(WindowConfig(9, **SIZES))

    first, _ = model.forward(np.array([[1, 2, 3, 4]]), model.initial_state(1))
    other, _ = model.forward(np.array([[8, 2, 3, 4]]), model.initial_state(1))

    np.testing.assert_array_equal(first[:, 3], other[:, 3])
    assert not np.allclose(first[:, 2], other[:, 2])


# --- trained as other networks


@pytest.mark.parametrize("documents", ["file", "line"])
def test_run_that_was_stopped_ends_as_one_that_was_not(documents: str) -> None:
    whole = train(window(documents, out="whole"))

    train(window(documents, out="parts"), until=7)
    parts = train(window(documents, out="parts"))

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)


def test_plan_repeats_the_run() -> None:
    first = train(window(direct=True))

    again = train(Request.of(("file.txt",), config=str(first.run.path)))

    assert again.run.path != first.run.path
    assert same(first, again)


def test_run_from_a_model_is_of_its_family_and_begins_where_it_ended() -> None:
    start = train(window(steps=100, lr=0.02, dropout=0, out="start"))
    asked = request(steps=1, lr=1e-30, init_from="start", family="window", direct=0)

    warm = train(dataclasses.replace(asked, family=""))

    assert warm.record.family == "window"
    assert validations(warm) == pytest.approx([min(validations(start))], rel=1e-5)


def test_other_family_than_that_of_the_weights_is_refused() -> None:
    train(window(steps=1, out="start"))
    asked = request(init_from="start", family="recurrent", hidden=0, embed=0)

    with pytest.raises(UsageError, match="start has the family window"):
        train(asked)


def test_sizes_that_are_not_given_are_chosen_and_said(charrnn: Any) -> None:
    said = charrnn("train", "file.txt", "--family", "window", "--dry-run").stderr

    assert "window of 8, 1x256" in said
    assert "order 8: the vocabulary is small; hidden 256: 743 training tokens" in said


def test_training_learns_what_a_window_can_see() -> None:
    session = train(window(steps=150, lr=0.02, dropout=0))

    # the entropy of a character of file.txt given the one before it is 1.23 nats
    assert min(validations(session)) < 1.23


def test_model_file_scores_as_the_validation_said() -> None:
    session = train(window())

    held_out = Path("file.txt").read_text()[-session.store.valid.targets :]
    score = package.load(str(session.run.path)).score(held_out)
    assert score.nats_per_token == pytest.approx(min(validations(session)), rel=1e-5)
