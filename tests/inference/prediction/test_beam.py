"""Beam search worked by hand, on models whose next token depends on the last."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.models import TableModel

from charrnn.errors import UsageError
from charrnn.inference.prediction.beam import Hypothesis, SearchConfig, search
from charrnn.tokenizers.base import BOUNDARY


def from_table(table: Any, length: int, **given: Any) -> list[Hypothesis]:
    """Return the outputs of a model whose next token depends only on the last."""
    config = SearchConfig(**given)
    return search(TableModel(table), (), np.array([length]), config)[0]


def facts(outputs: Sequence[Hypothesis]) -> list[tuple[int, ...]]:
    return [tuple(output.ids.tolist()) for output in outputs]


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
