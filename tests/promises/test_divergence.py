"""R12: NaN and infinity never reach a saved model; the run goes back and slows down."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from support.levels import cases
from support.training import metrics, request, same, train

from charrnn.errors import DivergedError
from charrnn.storage import tensors as tensor_file
from charrnn.training.loop import gradients
from charrnn.training.prepare import open_session
from charrnn.training.request import Request
from charrnn.training.session import Session

pytestmark = [pytest.mark.usefixtures("small_corpora"), pytest.mark.promise("R12")]

STEPS = cases(20, 200)
#: a save after each step, or none before the end
PACES = {"saving": 1e-9, "not saving": 1e9}


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], None]:
    """Let losses be no number: those for whose number, from 1 on, a rule is true."""
    loss_sum = gradients.loss_sum

    def spoil(rule: Callable[[int], bool]) -> None:
        number = count(1)

        def loss(*args: torch.Tensor) -> torch.Tensor:
            return loss_sum(*args) * (math.nan if rule(next(number)) else 1)

        monkeypatch.setattr(gradients, "loss_sum", loss)

    return spoil


def saved_numbers(session: Session) -> Iterator[np.ndarray]:
    for path in session.run.path.glob("*.safetensors"):
        is_resume = "resume" in path.name
        kind = tensor_file.RESUME_FORMAT if is_resume else tensor_file.FORMAT
        yield from tensor_file.read_tensors(path, kind=kind)[0].values()


def warnings(session: Session) -> list[str]:
    return [e["message"] for e in metrics(session) if e["event"] == "warning"]


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("n", cases([1, 7, 20], range(1, 201)))
def test_loss_that_is_no_number_once_costs_half_the_rate(
    n: int, pace: str, poison: Any
) -> None:
    asked = request(steps=STEPS, save_every_s=PACES[pace])
    poison(lambda number: number == n)

    session = train(asked)

    assert session.finished
    assert all(np.isfinite(values).all() for values in saved_numbers(session))
    back = n - 1 if pace == "saving" else 0
    (warning,) = warnings(session)
    assert f"step {n - 1:,}; back to step {back:,} with 0.5" in warning
    steps = [e["step"] for e in metrics(session) if e["event"] == "step"]
    assert steps == sorted(set(steps))
    follower = train(Request.of(asked.paths, config=str(session.run.path)))
    assert same(session, follower)  # though nothing was poisoned there


@pytest.mark.parametrize("pace", PACES)
def test_run_that_went_back_can_be_stopped_anywhere_after_it(
    pace: str, poison: Any
) -> None:
    asked = request(save_every_s=PACES[pace])
    poison(lambda number: number == 9)
    whole = train(replace(asked, out="whole"))

    poison(lambda number: number == 9)
    for step in cases([9, 15], range(9, 21)):
        train(replace(asked, out="parts"), until=step)
    parts = train(replace(asked, out="parts"))

    assert same(whole, parts)
    assert metrics(whole) == metrics(parts)


@pytest.mark.parametrize("pace", PACES)
def test_run_that_diverges_for_the_fourth_time_ends_and_keeps_what_was_good(
    pace: str, poison: Any
) -> None:
    asked = request(save_every_s=PACES[pace])
    poison(lambda number: number >= 9)

    with open_session(asked) as session, pytest.raises(DivergedError, match="nan"):
        list(session.train(lambda: False))

    shares = [w.split("with ")[1].split()[0] for w in warnings(session)]
    assert shares == ["0.5", "0.25", "0.125"]
    assert all(np.isfinite(values).all() for values in saved_numbers(session))
    with pytest.raises(DivergedError):  # at once, for nothing has changed
        train(asked)
    poison(lambda number: False)
    assert train(asked).finished


def test_warning_is_said_and_the_last_failure_exits_with_7(
    poison: Any, charrnn: Any
) -> None:
    poison(lambda number: number >= 3)

    result = charrnn(
        *("train", "file.txt", "--steps", "9", "--hidden", "8", "--batch", "4"),
        *("--bptt", "8", "--threads", "1", "--precision", "fp32", "-o", "run"),
    )

    assert result.exit_code == 7
    said = [line for line in result.stderr.splitlines() if "warning" in line]
    assert said[0] == (
        "warning: the loss is nan, its gradient nan at step 2;"
        " back to step 0 with 0.5 times the planned rate"
    )
    assert len(said) == 3
    assert "hint: try a lower learning rate: --lr" in result.stderr


def test_rate_that_three_halvings_do_not_mend_is_an_error() -> None:
    # NaN that is no accident: at the full rate weights grow until float32 overflows
    asked = request(lr=3e37, steps=12, cell="elman-relu", dropout=0)

    with open_session(asked) as session, pytest.raises(DivergedError):
        list(session.train(lambda: False))

    assert len(warnings(session)) == 3
    assert all(np.isfinite(values).all() for values in saved_numbers(session))
