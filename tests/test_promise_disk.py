"""Disks that fail, fill up or lose power: a run is as it was or as it should be."""

import errno
import itertools
import json
import math
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints_for_tests import some_model
from disk_for_tests import CODES, Disk, FailingSystem, RecordingSystem, calling
from disk_for_tests import restore as make_from
from levels import cases
from training_for_tests import (
    metrics,
    request,
    same,
    shorten_samples,
    train,
    write_corpora,
)

from charrnn import checkpoint, files, tensor_file
from charrnn.errors import ModelFileError, ResourceError
from charrnn.runs import Run
from charrnn.store import TokenStore
from charrnn.training.events import Event
from charrnn.training.prepare import open_session
from charrnn.training.session import Session

pytestmark = pytest.mark.usefixtures("small_corpora")

# saved after every step
ASKED = request(steps=6, save_every_s=1e-9)
RUN = Run(Path("run"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Return a run that nothing happened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        write_corpora()
        shorten_samples(patch)
        yield train(replace(ASKED, out=str(Path("whole").absolute())))


def goes_on_to(whole: Session, run: Path) -> None:
    """Continue a run and see that it ends as if nothing had happened."""
    with open_session(replace(ASKED, out=str(run))) as session:
        if not session.finished:
            for _ in session.train(lambda: False):
                pass

    assert same(session, whole)
    assert metrics(session) == metrics(whole)
    ours, theirs = (checkpoint.load(s.run.model).model for s in (session, whole))
    for name, tensor in theirs.tensors().items():
        np.testing.assert_array_equal(ours.tensors()[name], tensor)
    left = [path.name for path in run.rglob("*") if path.name.endswith(".tmp")]
    assert not left


# --- a failing operation


def save_all(value: int) -> None:
    """Save every kind of file of a run, each saying which time this is."""
    model = some_model()
    model.summary = {"value": value}
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
        checkpoint.load(RUN.model).summary["value"],
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


# --- a power failure


def recorded() -> list[tuple[object, ...]]:
    """Return the log of the file work of a run, marked with each step once saved."""
    system = RecordingSystem()
    with calling(system), open_session(replace(ASKED, out="run")) as session:
        system.mark(0)  # prepared
        for event in session.train(lambda: False):
            if event.kind in ("save", "done"):
                system.mark(event.step)
    return system.log


def crashes(count: int) -> Iterator[tuple[int, Path]]:
    """Yield a run folder as a power failure could leave it, and what was promised.

    That is the last step that was said to be saved; -1 before it was prepared.
    """
    log = recorded()
    source = RUN.path.absolute()
    chance = random.Random(count)
    disk, done = Disk(), 0
    for number, at in enumerate(sorted(chance.choices(range(len(log)), k=count))):
        for entry in log[done:at]:
            disk.do(*entry)
        done = at
        folder = Path(f"crashed-{number}")
        make_from(disk.crashed(chance), source, folder)
        yield max(disk.marks, default=-1), folder


SAVES = 7


@pytest.mark.promise("R4")
def test_power_failure_leaves_the_newest_complete_files() -> None:
    for promised, folder in crashes(SAVES * cases(20, 1000)):
        run = Run(folder)
        info = run.read_info()
        assert bool(info) or promised < 0
        if info:
            TokenStore.open(run.tokens)
            for path in RUN.tokens.iterdir():
                assert (run.tokens / path.name).read_bytes() == path.read_bytes()
        if run.model.exists():
            assert checkpoint.load(run.model).summary["step"] > 0
        counters = [
            tensor_file.read_tensors(path, kind="charrnn-resume")[1]["counters"]
            for path in (run.resume, run.previous)
            if path.exists()
        ]
        assert max((c["step"] for c in counters), default=0) >= promised
        for one in counters:
            assert run.model.exists() or math.isinf(one["best_nats"])
            known = one["metrics_bytes"]
            ours, theirs = (r.metrics.read_bytes()[:known] for r in (run, RUN))
            assert len(ours) == known
            assert ours == theirs
        files.remove_folder(folder)


@pytest.mark.promise("R4")
def test_run_ends_the_same_after_a_power_failure(whole: Session) -> None:
    for _, folder in crashes(cases(5, 300)):
        goes_on_to(whole, folder)


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
    kept = checkpoint.load(RUN.model).summary["validation"]["nats_per_token"]
    assert kept == snapshot["counters"]["best_nats"]


# --- files that are damaged in other ways


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def part_of_a_run() -> Run:
    return train(replace(ASKED, out="run"), until=3).run


def warnings_of_going_on() -> list[str]:
    with open_session(replace(ASKED, out="run")) as session:
        events = list(session.train(lambda: True))
    return [event.values["message"] for event in events if event.kind == "warning"]


@pytest.mark.promise("R4")
@pytest.mark.parametrize("break_it", [damage, Path.unlink])
def test_run_goes_on_from_the_save_before_a_damaged_one(
    break_it: Callable[[Path], None], whole: Session
) -> None:
    run = part_of_a_run()
    break_it(run.resume)

    (warning,) = warnings_of_going_on()

    assert "resume.safetensors" in warning
    assert "going on from the save before it, step 2" in warning
    goes_on_to(whole, run.path)


def test_run_whose_saves_are_both_damaged_is_refused() -> None:
    run = part_of_a_run()
    damage(run.resume)
    damage(run.previous)

    with pytest.raises(ModelFileError, match="damaged"):
        train(replace(ASKED, out="run"))


def test_only_save_that_is_damaged_is_refused() -> None:
    run = part_of_a_run()
    damage(run.resume)
    run.previous.unlink()

    with pytest.raises(ModelFileError, match="damaged"):
        train(replace(ASKED, out="run"))


@pytest.mark.parametrize("break_it", [damage, Path.unlink])
def test_best_model_that_is_damaged_is_made_anew(
    break_it: Callable[[Path], None],
) -> None:
    break_it(part_of_a_run().model)

    session = train(replace(ASKED, out="run"))

    step = checkpoint.load(session.run.model).summary["step"]
    assert step == session.run.read_info()["best"]["step"]


def test_metrics_that_were_cut_are_said_and_go_on_with_a_whole_line() -> None:
    run = part_of_a_run()
    data = run.metrics.read_bytes()
    run.metrics.write_bytes(data[:-5])

    (warning,) = warnings_of_going_on()

    assert warning == "the end of run/metrics.jsonl is missing"
    lines = data.splitlines(keepends=True)
    assert run.metrics.read_bytes().startswith(b"".join(lines[:-1]))
    for line in run.metrics.read_text().splitlines():
        json.loads(line)


def test_new_run_in_a_folder_goes_on_from_no_older_save(whole: Session) -> None:
    train(replace(ASKED, out="run"))
    train(replace(ASKED, out="run", new=True), until=1)
    assert not RUN.previous.exists()

    goes_on_to(whole, RUN.path)
