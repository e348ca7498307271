"""The laws of beam search, on random translators."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.models import random_model
from support.translators import random_translator, some_inputs, translator_config

from charrnn.inference import threads
from charrnn.inference.prediction import beam
from charrnn.inference.prediction.beam import (
    Hypothesis,
    SearchConfig,
    search,
    search_inputs,
)
from charrnn.models.base import LanguageModel, token_nats
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.translator.model import TranslatorModel
from charrnn.tokenizers.base import BOUNDARY, Ids

every_alpha = pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
every_seed = pytest.mark.parametrize("seed", range(4))


def translator(seed: int = 0, vocab_size: int = 5) -> TranslatorModel:
    config = translator_config(vocab_size=vocab_size, source_size=9)
    return random_translator(config, seed=seed)


def inputs(count: int = 12) -> list[Ids]:
    rng = np.random.default_rng(1)
    return [rng.integers(1, 9, rng.integers(1, 8)) for _ in range(count)]


def found(
    model: TranslatorModel, sources: Sequence[Ids], length: int = 6, **given: Any
) -> list[list[Hypothesis]]:
    lengths = [length] * len(sources)
    return search_inputs(model, sources, lengths, SearchConfig(**given))


def exact_nats(model: TranslatorModel, source: Ids, ids: Ids) -> float:
    """Return -ln P of an output and its end, scored as a whole."""
    state = model.read(source[None], np.array([len(source)]))
    logits, _ = model.forward(np.array([[BOUNDARY, *ids]]), state)
    targets = np.array([[*ids, BOUNDARY]])
    return float(token_nats(logits, targets).sum(dtype=np.float64))


def facts(outputs: Sequence[Hypothesis]) -> list[tuple[int, ...]]:
    return [tuple(output.ids.tolist()) for output in outputs]


# --- laws


@every_alpha
@every_seed
def test_no_beam_is_worse_than_greedy_search(seed: int, alpha: float) -> None:
    model, sources = translator(seed), inputs()
    greedy = found(model, sources, beam=1, alpha=alpha)

    for width in (2, 3, 10):
        wide = found(model, sources, beam=width, alpha=alpha)

        for (ours,), (theirs,) in zip(wide, greedy, strict=True):
            assert ours.score >= theirs.score - 1e-6


@every_seed
def test_beam_of_one_takes_the_most_likely_token_at_each_step(seed: int) -> None:
    model = translator(seed)

    for source, (output,) in zip(inputs(), found(model, inputs(), beam=1), strict=True):
        state = model.read(source[None], np.array([len(source)]))
        expected: list[int] = []
        token = BOUNDARY
        while len(expected) < 6:
            logits, state = model.forward(np.array([[token]]), state)
            token = int(logits.argmax())
            if token == BOUNDARY:
                break
            expected.append(token)
        assert output.ids.tolist() == expected


@every_alpha
@every_seed
def test_beam_as_wide_as_the_space_is_exhaustive(seed: int, alpha: float) -> None:
    model, n = translator(seed, vocab_size=3), 4
    texts = [x for k in range(n + 1) for x in itertools.product((1, 2), repeat=k)]

    for source in inputs(4):
        (outputs,) = found(
            model, [source], n, beam=len(texts), num=len(texts), alpha=alpha
        )

        nats = {text: exact_nats(model, source, np.array(text)) for text in texts}
        score = {t: -nats[t] / (len(t) + 1) ** alpha for t in texts}
        assert len(outputs) == len(texts)
        for output in outputs:
            text = tuple(output.ids.tolist())
            assert output.score == pytest.approx(score[text], abs=1e-5)
        expected = sorted(score.values(), reverse=True)
        np.testing.assert_allclose([o.score for o in outputs], expected, atol=1e-5)


@every_alpha
@every_seed
def test_nats_are_those_of_the_whole_output_and_its_end(
    seed: int, alpha: float
) -> None:
    model = translator(seed)

    all_outputs = found(model, inputs(), beam=4, num=4, alpha=alpha)

    for source, outputs in zip(inputs(), all_outputs, strict=True):
        assert outputs
        for output in outputs:
            nats = exact_nats(model, source, output.ids)
            assert output.nats == pytest.approx(nats, abs=1e-4)
            score = -nats / (len(output.ids) + 1) ** alpha
            assert output.score == pytest.approx(score, abs=1e-4)


@every_alpha
@every_seed
def test_several_outputs_differ_are_ordered_and_begin_with_fewer_outputs(
    seed: int, alpha: float
) -> None:
    model, sources = translator(seed), inputs()
    many = found(model, sources, beam=6, num=6, alpha=alpha)

    for num in (1, 2, 5):
        few = found(model, sources, beam=6, num=num, alpha=alpha)

        for ours, theirs in zip(few, many, strict=True):
            assert facts(ours) == facts(theirs)[:num]
    for outputs in many:
        assert len(set(facts(outputs))) == len(outputs) == 6
        scores = [output.score for output in outputs]
        assert scores == sorted(scores, reverse=True)


@every_seed
def test_output_does_not_depend_on_the_other_inputs_or_their_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, sources = translator(seed), inputs(20)
    together = found(model, sources, beam=4, num=4)
    backwards = found(model, sources[::-1], beam=4, num=4)[::-1]
    monkeypatch.setattr(beam, "ROWS", 3)
    in_threes = found(model, sources, beam=4, num=4)

    for i, source in enumerate(sources):
        (alone,) = found(model, [source], beam=4, num=4)
        for others in (together[i], backwards[i], in_threes[i]):
            assert facts(others) == facts(alone)
            nats = [output.nats for output in others]
            np.testing.assert_allclose(nats, [o.nats for o in alone], atol=1e-4)


def test_threads_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sources = translator(), inputs(40)
    alone = found(model, sources, beam=3)
    monkeypatch.setattr(beam, "ROWS", 4)
    monkeypatch.setattr(threads, "free_cores", lambda: 3)

    assert list(map(facts, found(model, sources, beam=3))) == list(map(facts, alone))


def test_empty_input_and_no_inputs() -> None:
    model = translator()

    (outputs,) = found(model, [np.empty(0, np.int64)], beam=3)

    (expected,) = search(
        model, model.initial_state(1), np.array([6]), SearchConfig(beam=3)
    )
    assert facts(outputs) == facts(expected)
    assert found(model, []) == []


def test_any_language_model_can_be_searched() -> None:
    model: LanguageModel = random_model(RecurrentConfig(6, hidden=5, embed=3))
    lengths = np.array([3, 7])

    short, long = search(
        model, model.initial_state(2), lengths, SearchConfig(beam=4, num=4)
    )

    assert all(len(output.ids) <= 3 for output in short)
    assert max(len(output.ids) for output in long) <= 7


def test_padded_inputs_are_read_to_their_lengths() -> None:
    model = translator()
    source, lengths = some_inputs(6, 2, 4)
    rows = [row[:n] for row, n in zip(source, lengths, strict=True)]

    together = search(
        model, model.read(source, lengths), np.full(3, 6), SearchConfig(beam=3)
    )

    assert list(map(facts, together)) == list(map(facts, found(model, rows, beam=3)))
