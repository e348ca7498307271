"""R2: a run that was interrupted anywhere ends as one that was not, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.levels import cases
from support.training import (
    FILES,
    STEPS,
    labelled_request,
    metrics,
    request,
    same,
    train,
)

from charrnn.inference import checkpoint
from charrnn.models import ATTENTIONS, CELLS
from charrnn.models.labeller.config import READ_OUTS
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


#: what may be under way: (owner, name), and how often that happens in a run
PLACES: dict[str, tuple[Any, str, int]] = {
    "step": (gradients, "loss_sum", STEPS),
    "validation": (evaluate.Validator, "_batch", 10),
    "save": (snapshot, "write_tensors", 30),
}


def interrupted(
    asked: Request, place: str, nth: int, patch: pytest.MonkeyPatch
) -> bool:
    """Train until the nth of these; return whether there were so many."""
    owner, name, _ = PLACES[place]
    with patch.context() as inside:
        inside.setattr(owner, name, killing_at(nth, getattr(owner, name)))
        try:
            train(asked)
        except KilledError:
            return True
    return False


Chance = np.random.Generator


def one_of(chance: Chance, *values: Any) -> Any:
    return values[chance.integers(len(values))]


def a_request(chance: Chance) -> Request:
    """Return a request for any kind of run on plain text."""
    level = one_of(chance, *LEVELS)
    tokenizer = {"level": level, "vocab_size": 300 if level == "subword" else 0}
    return request(
        one_of(chance, "file", "line"),
        learned_state=one_of(chance, False, True),
        tie=one_of(chance, False, True),
        stages=one_of(chance, 1, 2),
        **tokenizer,
        **some_training(chance),
    )


def some_training(chance: Chance) -> dict[str, Any]:
    """Return options that all tasks have."""
    return {
        "cell": one_of(chance, *CELLS),
        "layers": one_of(chance, 1, 2),
        "schedule": one_of(chance, *SCHEDULES),
        "patience": one_of(chance, 0, 2),
        # few are better than one before at such a rate: patience ends the run
        "lr": one_of(chance, 0.004, 1e-30),
        # a save after each event, or at the end only
        "save_every_s": one_of(chance, 1e-9, 1e9),
    }


#: of the models for labelled data
OPTIONS: dict[str, Callable[[Chance], dict[str, Any]]] = {
    "classify": lambda chance: {
        "read_out": one_of(chance, *READ_OUTS),
        "level": one_of(chance, "char", "symbol"),
    },
    "tag": lambda chance: {"crf": one_of(chance, True, True, False)},
    "translate": lambda chance: {
        "attention": (attention := one_of(chance, *ATTENTIONS)),
        "copy": attention != "none",
    },
}


def a_labelled_request(task: str, chance: Chance) -> Request:
    """Return a request for any kind of run on the data of a task."""
    return labelled_request(
        task,
        one_way=one_of(chance, False, True),
        norm=one_of(chance, False, True),
        **OPTIONS[task](chance),
        **some_training(chance),
    )


@pytest.mark.parametrize("seed", range(cases(6, 100)))
def test_run_interrupted_anywhere_ends_as_one_that_was_not(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(seed)
    ends_as_uninterrupted(a_request(chance), chance, monkeypatch)


@pytest.mark.parametrize("seed", range(cases(2, 50)))
@pytest.mark.parametrize("task", FILES)
def test_run_on_labelled_data_that_was_interrupted_ends_as_one_that_was_not(
    task: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = np.random.default_rng(seed)
    ends_as_uninterrupted(a_labelled_request(task, chance), chance, monkeypatch)


def ends_as_uninterrupted(
    asked: Request, chance: Chance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train with and without interruptions, and see that nothing differs."""
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
    ours, theirs = (checkpoint.load(one.run.model).model for one in (whole, ended))
    assert ours.config_json() == theirs.config_json()  # the temperature, too
    for name, tensor in theirs.tensors().items():
        np.testing.assert_array_equal(ours.tensors()[name], tensor)


@pytest.mark.parametrize("place", PLACES)
def test_run_interrupted_at_its_very_first_of_these_ends_as_one_that_was_not(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(save_every_s=1e-9)
    whole = train(replace(asked, out="whole"))

    assert interrupted(replace(asked, out="parts"), place, 1, monkeypatch)
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
