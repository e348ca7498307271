"""R24: an answer does not depend on what else is asked, nor on batches and threads."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.families import MODELS, model_of
from support.levels import cases

from charrnn.inference import scoring, text_model, threads
from charrnn.inference.config import SampleConfig
from charrnn.inference.prediction import beam, predicting
from charrnn.inference.text_model import TextModel

#: known and unknown words, of one letter and of many
WORDS = ["the", "cat", "a", "b" * 40, "Lake", "Como", "\u00e9", "dog", "c"]
OUTPUTS = {
    "classify": ["first", "place"],
    "tag": ["DET NOUN", "VERB"],
    "translate": ["x y", "z", "w"],
}
SEED, SAMPLES = 3, 9

texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


def answers(model: TextModel, asked: list[str], width: int) -> list[Any]:
    """Return all that can be asked of each text: outputs, nats, and a sample."""
    found = model.predict(asked, num=2, beam=width, length=6)
    if model.source_tokenizer:
        known = OUTPUTS[model.summary.task]
        # the same output for the same text, wherever it is
        outputs = [known[len(text) % len(known)] for text in asked]
        scores = model.score_outputs(asked, outputs)
    else:
        scores = model.score_all(asked)
    return [
        ([one.output for one in best], [one.nats for one in best], score.nats)
        for best, score in zip(found, scores, strict=True)
    ]


def split(patch: pytest.MonkeyPatch, rows: int, tokens: int, cores: int) -> None:
    """Let all work be done in batches of this size, by this many threads."""
    for module in (scoring, predicting, beam):
        patch.setattr(module, "ROWS", rows)
    patch.setattr(predicting, "BATCH_TOKENS", tokens)
    patch.setattr(beam, "ROW_TOKENS", tokens)
    patch.setattr(text_model, "SIDE_BY_SIDE", rows)
    patch.setattr(threads, "LEAST_WORK", 1)
    patch.setattr(threads, "free_cores", lambda: cores)


@pytest.mark.promise("R24")
@pytest.mark.parametrize("family", MODELS)
@settings(
    max_examples=cases(8, 300),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    asked=st.lists(texts, min_size=1, max_size=12),
    chance=st.randoms(use_true_random=False),
    rows=st.sampled_from([1, 7, 64]),
    tokens=st.sampled_from([1, 100, 1 << 14]),
    cores=st.sampled_from([1, 2]),
    width=st.sampled_from([1, 3]),
)
def test_answer_is_the_same_in_any_company(
    family: str,
    asked: list[str],
    chance: random.Random,
    rows: int,
    tokens: int,
    cores: int,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(family)
    alone = {text: answers(model, [text], width)[0] for text in asked}
    shuffled = chance.sample(asked, len(asked))

    with monkeypatch.context() as patch:
        split(patch, rows, tokens, cores)
        together = answers(model, shuffled, width)

    for text, (outputs, nats, score) in zip(shuffled, together, strict=True):
        own_outputs, own_nats, own_score = alone[text]
        assert outputs == own_outputs
        np.testing.assert_allclose(nats, own_nats, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(score, own_score, rtol=1e-5, atol=1e-5)


@pytest.mark.promise("R24")
@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_sample_is_the_same_in_any_company(
    family: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = model_of(family), SampleConfig(length=12, temperature=0.9)
    alone = [
        next(model.sample("the cat", seed=SEED + k, config=config)).text
        for k in range(SAMPLES)
    ]
    split(monkeypatch, rows, 1 << 14, 2)

    found = model.sample("the cat", num=SAMPLES, seed=SEED, config=config)

    assert [sample.text for sample in found] == alone
