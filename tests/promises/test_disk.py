"""Disks that fail or fill up: a run is as it was or as it should be."""

import errno
import itertools
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.checkpoints import some_model
from support.disk import CODES, FailingSystem, calling
from support.levels import cases
from support.saving import ASKED, RUN, goes_on_to, unharmed
from support.training import (
    train,
    write_corpora,
)

from charrnn.errors import ResourceError
from charrnn.inference import checkpoint
from charrnn.storage import files
from charrnn.storage import tensors as tensor_file
from charrnn.storage.records import ModelSummary
from charrnn.training.events import Event
from charrnn.training.prepare import open_session
from charrnn.training.session import Session

pytestmark = pytest.mark.usefixtures("small_corpora")
whole = pytest.fixture(scope="module")(unharmed)


# --- a failing operation


def save_all(value: int) -> None:
    """Save every kind of file of a run, each saying which time this is."""
    model = some_model()
    model.summary = ModelSummary(step=value)
    checkpoint.save(RUN.model, model)
    tensors = {"x": np.full(100, value)}
    tensor_file.write_tensors(
        RUN.resume, tensors, {}, kind="charrnn-resume", keep=RUN.previous
    )
    RUN.write_info({"value": value})
    files.append(RUN.metrics, b"%d\n" % value, at=2 * value)
    files.flush(RUN.metrics)
    with files.writing(RUN.path / "train.tokens") as tokens:
        for _ in range(3):
            tokens.write(b"%d" % value)


def values() -> list[int]:
    """Return which time each file of a run is of."""
    tensors, _ = tensor_file.read_tensors(
        RUN.resume if RUN.resume.exists() else RUN.previous, kind="charrnn-resume"
    )
    return [
        checkpoint.load(RUN.model).summary.step,
        int(tensors["x"].min()),
        RUN.read_info()["value"],
        len(RUN.metrics.read_bytes().splitlines()) - 1,
        int((RUN.path / "train.tokens").read_text()) // 111,
    ]


@pytest.mark.promise("R3")
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_file_is_the_old_or_the_new_one_whichever_operation_fails(
    code: int, for_ever: bool
) -> None:
    RUN.path.mkdir()
    save_all(0)
    before = {path: path.read_bytes() for path in RUN.path.iterdir()}
    for operation in itertools.count(1):
        system = FailingSystem(operation, code, for_ever=for_ever)
        with calling(system), suppress(ResourceError):
            save_all(1)
        if system.operations < operation:  # none is left that could fail
            break

        found = values()

        assert found == sorted(found, reverse=True)  # those saved first are newer
        assert set(found) <= {0, 1}
        files.remove_leftovers(RUN.path)
        for path in {*RUN.path.iterdir()} - {*before, RUN.previous}:
            raise AssertionError(f"{path} was left by operation {operation}")
        for path, data in before.items():
            path.write_bytes(data)
    assert operation > 40


def failures() -> Iterator[tuple[int, tuple[int, bool]]]:
    """Yield which operation of a whole run fails, and how: each in one of 8 ways."""
    os.mkdir("count")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("count")
        write_corpora()
        with calling(system := FailingSystem()):
            train(ASKED)
    ways = itertools.cycle(itertools.product(CODES, (False, True)))
    every = list(zip(range(1, system.operations + 1), ways, strict=False))
    yield from random.Random(0).sample(every, cases(10, len(every)))


@pytest.mark.promise("R3")
def test_run_ends_the_same_whichever_operation_failed(whole: Session) -> None:
    for operation, (code, for_ever) in failures():
        run = Path(f"run-{operation}")
        system = FailingSystem(operation, code, for_ever=for_ever)
        with calling(system), suppress(ResourceError):
            train(replace(ASKED, out=str(run)))

        goes_on_to(whole, run)


# --- a disk that is full


class FullDisk(FailingSystem):
    """Has no room while a condition holds."""

    def __init__(self) -> None:
        super().__init__(1, errno.ENOSPC, for_ever=True)
        self.is_full = False

    def operate(self, name, call, *given):  # type: ignore[no-untyped-def]
        return super().operate(name, call, *given) if self.is_full and name in (
            "write", "pwrite"
        ) else call(*given)  # fmt: skip


def train_on(disk: FullDisk, full_steps: range) -> list[Event]:
    """Train while the disk is full at some steps; return the events."""
    events = []
    with calling(disk), open_session(replace(ASKED, out="run")) as session:
        for event in session.train(lambda: False):
            events.append(event)
            disk.is_full = event.step in full_steps
    return events


@pytest.mark.promise("R5")
@pytest.mark.parametrize("full", [range(1, 4), range(2, 5), range(5, 6)], ids=str)
def test_training_goes_on_while_the_disk_is_full_and_saves_when_there_is_room(
    full: range, whole: Session
) -> None:
    events = train_on(FullDisk(), full)

    assert [event.kind for event in events].count("warning") == 1
    assert "save" not in {event.kind for event in events if event.step in full[:-1]}
    goes_on_to(whole, RUN.path)


@pytest.mark.promise("R5")
def test_disk_that_stays_full_is_an_error_at_the_end(whole: Session) -> None:
    with pytest.raises(ResourceError, match="No space left"):
        train_on(FullDisk(), range(1, 99))

    assert not RUN.resume.exists()
    goes_on_to(whole, RUN.path)


@pytest.mark.promise("R5")
def test_model_that_could_not_be_kept_is_published_with_the_next_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish, failures = checkpoint.save, iter([ResourceError("the disk is full")])

    def failing(*given: Any) -> None:
        for failure in failures:
            raise failure
        publish(*given)

    monkeypatch.setattr(checkpoint, "save", failing)
    with open_session(replace(ASKED, out="run")) as session:
        events = session.train(lambda: False)
        for kind in ("validation", "save"):
            next(event for event in events if event.kind == kind)

    _, snapshot = tensor_file.read_tensors(RUN.resume, kind="charrnn-resume")
    validation = checkpoint.load(RUN.model).summary.validation
    assert validation
    kept = validation["nats_per_token"]
    assert kept == snapshot["counters"]["best_nats"]
