"""Beam search: its laws, on random models and on tables."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.models import TableModel, random_model
from support.translators import random_translator, some_inputs, translator_config

from charrnn.errors import UsageError
from charrnn.inference import beam
from charrnn.inference.beam import (
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
every_seed = pytest.mark.parametrize("seed", range(8))


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


def from_table(table: Any, length: int, **given: Any) -> list[Hypothesis]:
    """Return the outputs of a model whose next token depends only on the last."""
    config = SearchConfig(**given)
    return search(TableModel(table), (), np.array([length]), config)[0]


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
    monkeypatch.setattr(beam, "free_cores", lambda: 3)

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


# --- worked by hand

# token 0 is the boundary; after it, 1 is a little likelier than 2, but leads nowhere
GARDEN = [
    [0.0, 0.6, 0.4],
    [0.5, 0.25, 0.25],
    [1.0, 0.0, 0.0],
]


def test_wider_beam_finds_what_greedy_search_misses() -> None:
    (greedy,) = from_table(GARDEN, 5, beam=1)
    (best,) = from_table(GARDEN, 5, beam=2)

    assert greedy.ids.tolist() == [1]
    assert greedy.nats == pytest.approx(-math.log(0.6 * 0.5))
    assert best.ids.tolist() == [2]
    assert best.nats == pytest.approx(-math.log(0.4))


def test_alpha_favours_longer_outputs() -> None:
    # an empty output has probability 0.4; 1 1 1 has 0.6 * 0.7^3
    table = [[0.4, 0.6], [0.3, 0.7]]

    (short,) = from_table(table, 3, beam=8)
    (long,) = from_table(table, 3, beam=8, alpha=1.0)

    assert short.ids.tolist() == []
    assert long.ids.tolist() == [1, 1, 1]
    # after three tokens the end is the only choice, but its nats are the model's
    nats = -math.log(0.6 * 0.7 * 0.7 * 0.3)
    assert long.nats == pytest.approx(nats, abs=1e-6)
    assert long.score == pytest.approx(-nats / 4, abs=1e-6)


def test_tokens_that_are_never_generated_are_not_even_read() -> None:
    outputs = from_table(GARDEN, 4, beam=20, num=20, never=(1,))

    assert facts(outputs) == [(2,)]
    assert outputs[0].nats == pytest.approx(-math.log(0.4))


def test_without_an_end_outputs_have_the_maximum_length() -> None:
    table = [[0.9, 0.04, 0.06], [0.9, 0.07, 0.03], [0.9, 0.06, 0.04]]

    outputs = from_table(table, 3, beam=8, num=8, never=(BOUNDARY,))

    assert len(outputs) == 2**3
    assert outputs[0].ids.tolist() == [2, 1, 1]
    assert outputs[0].nats == pytest.approx(-math.log(0.06 * 0.06 * 0.07), abs=1e-6)


def test_maximum_length_of_zero_leaves_the_empty_output() -> None:
    (output,) = from_table(GARDEN, 0, beam=3, num=3, never=()) or [None]

    assert output is None  # the table rules it out

    (empty,) = from_table([[0.1, 0.9], [0.5, 0.5]], 0, beam=3, num=3)
    assert empty.ids.tolist() == []
    assert empty.nats == pytest.approx(-math.log(0.1))


def test_search_can_begin_after_any_token() -> None:
    config = SearchConfig(beam=3)

    ((output,),) = search(TableModel(GARDEN), (), np.array([3]), config, first=2)

    assert output.ids.tolist() == []
    assert output.nats == 0


def test_outputs_with_the_same_key_are_one_output() -> None:
    table = np.array([[0.1, 0.5, 0.4], [1, 0, 0], [1, 0, 0]])
    config = SearchConfig(beam=5, num=5)

    (outputs,) = search(TableModel(table), (), np.array([3]), config, key=len)

    assert facts(outputs) == [(1,), ()]


def test_search_ends_as_soon_as_nothing_can_become_better() -> None:
    calls = []

    class Counting(TableModel):
        def forward(self, tokens: Any, state: Any) -> Any:
            calls.append(len(tokens))
            return super().forward(tokens, state)

    table = [[0.9, 0.1], [0.1, 0.9]]
    search(Counting(table), (), np.array([50]), SearchConfig(beam=5))

    assert len(calls) == 1


@pytest.mark.parametrize("width", [0, -1, 10**6])
def test_beam_out_of_range_is_refused(width: int) -> None:
    with pytest.raises(UsageError, match="`beam` is"):
        SearchConfig(beam=width)


def test_padded_inputs_are_read_to_their_lengths() -> None:
    model = translator()
    source, lengths = some_inputs(6, 2, 4)
    rows = [row[:n] for row, n in zip(source, lengths, strict=True)]

    together = search(
        model, model.read(source, lengths), np.full(3, 6), SearchConfig(beam=3)
    )

    assert list(map(facts, together)) == list(map(facts, found(model, rows, beam=3)))
