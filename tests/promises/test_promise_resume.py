"""R2: a run that was interrupted anywhere ends as one that was not, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.levels import cases
from support.training import STEPS, metrics, request, same, train

from charrnn.inference import checkpoint
from charrnn.models import CELLS
from charrnn.training.config import SCHEDULES
from charrnn.training.loop import evaluate, gradients, snapshot
from charrnn.training.request import Request

pytestmark = [pytest.mark.usefixtures("small_corpora"), pytest.mark.promise("R2")]

LEVELS = ("char", "byte", "word", "subword")


class KilledError(BaseException):
    """The process ends here, without a word."""


def killing_at(nth: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is never left when it is called for the nth time."""
    left = [nth]

    def call(*args: Any, **keywords: Any) -> Any:
        left[0] -= 1
        result = function(*args, **keywords)
        if not left[0]:
            raise KilledError
        return result

    return call


#: what may be under way: (module, name), and how often that happens in a run
PLACES = {
    "step": (gradients, "loss_sum", STEPS),
    "validation": (evaluate, "loss_sum", 12),
    "save": (snapshot, "write_tensors", 30),
}


def interrupted(
    asked: Request, place: str, nth: int, patch: pytest.MonkeyPatch
) -> None:
    module, name, _ = PLACES[place]
    with patch.context() as inside:
        inside.setattr(module, name, killing_at(nth, getattr(module, name)))
        try:
            train(asked)
        except KilledError:
            return


def a_request(chance: np.random.Generator) -> Request:
    """Return a request for any kind of run."""

    def one_of(*values: Any) -> Any:
        return values[chance.integers(len(values))]

    level = one_of(*LEVELS)
    tokenizer = {"level": level, "vocab_size": 300 if level == "subword" else 0}
    return request(
        one_of("file", "line"),
        cell=one_of(*CELLS),
        layers=one_of(1, 2),
        learned_state=one_of(False, True),
        tie=one_of(False, True),
        **tokenizer,
        schedule=one_of(*SCHEDULES),
        stages=one_of(1, 2),
        patience=one_of(0, 2),
        # few are better than one before at such a rate: patience ends the run
        lr=one_of(0.004, 1e-30),
        # a save after each event, or at the end only
        save_every_s=one_of(1e-9, 1e9),
    )


@pytest.mark.parametrize("seed", range(cases(6, 100)))
def test_run_interrupted_anywhere_ends_as_one_that_was_not(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(seed)
    asked = a_request(chance)
    whole = train(replace(asked, out="whole"))
    parts = replace(asked, out="parts")

    for place in chance.choice([*PLACES, "stop"], 3).tolist():
        if place == "stop":
            train(parts, until=int(chance.integers(1, STEPS)))
        else:
            nth = int(chance.integers(1, PLACES[place][2] + 1))
            interrupted(parts, place, nth, monkeypatch)
    ended = train(parts)

    assert same(whole, ended)
    assert metrics(whole) == metrics(ended)
    ours, theirs = (
        checkpoint.load(session.run.model).model.tensors() for session in (whole, ended)
    )
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("place", PLACES)
def test_run_interrupted_at_its_very_first_of_these_ends_as_one_that_was_not(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(save_every_s=1e-9)
    whole = train(replace(asked, out="whole"))

    interrupted(replace(asked, out="parts"), place, 1, monkeypatch)
    ended = train(replace(asked, out="parts"))

    assert same(whole, ended)
    assert metrics(whole) == metrics(ended)


@pytest.mark.parametrize("seed", range(cases(1, 20)))
def test_run_of_a_time_that_was_interrupted_is_repeated_by_its_plan(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(seed)
    asked = request(steps=0, time_s=0.5, save_every_s=1e-9)
    for place in chance.choice([*PLACES], 3).tolist():
        interrupted(asked, place, int(chance.integers(1, 30)), monkeypatch)
    ended = train(asked)

    again = train(Request.of(asked.paths, config=str(ended.run.path)))

    assert same(ended, again)
    # the plan has its steps from the start, so progress is told otherwise
    kinds = [[(e["event"], e["step"]) for e in metrics(s)] for s in (ended, again)]
    assert kinds[0] == kinds[1]
