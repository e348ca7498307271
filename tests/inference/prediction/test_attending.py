"""The attention of translators to the tokens of an input."""

import numpy as np
import pytest
from support.conditional import conditional_model

from charrnn.errors import UsageError
from charrnn.inference.prediction.attending import attended
from charrnn.models import ATTENTIONS


@pytest.mark.parametrize("kind", [kind for kind in ATTENTIONS if kind != "none"])
def test_weights_of_each_output_token_sum_to_one(kind: str) -> None:
    model = conditional_model("translate", attention=kind)

    found = attended(model, "abcab", "x y")

    assert found.inputs == list("abcab")
    assert found.outputs == ["x", "y", "<EOS>"]
    assert found.weights.shape == (3, 5)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-6)


def test_weights_do_not_depend_on_later_tokens() -> None:
    model = conditional_model("translate")

    short, long = attended(model, "abcab", "x"), attended(model, "abcab", "x z y")

    np.testing.assert_allclose(short.weights, long.weights[:2], atol=1e-6)


@pytest.mark.parametrize(
    ("task", "attention"), [("classify", None), ("tag", None), ("translate", "none")]
)
def test_model_without_attention_is_refused(task: str, attention: str | None) -> None:
    config = {"attention": attention} if attention else {}

    with pytest.raises(UsageError, match="attention"):
        attended(conditional_model(task, **config), "a", "x")
