"""Power that fails and saves that are damaged: a run goes on from a good one."""

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.disk import Disk, RecordingSystem, calling
from support.disk import restore as make_from
from support.levels import cases
from support.saving import ASKED, RUN, goes_on_to, unharmed
from support.training import (
    train,
)

from charrnn.data.store import TokenStore
from charrnn.errors import ModelFileError
from charrnn.inference import checkpoint
from charrnn.storage import files
from charrnn.storage import tensors as tensor_file
from charrnn.storage.runs import Run
from charrnn.training.prepare import open_session
from charrnn.training.session import Session

pytestmark = pytest.mark.usefixtures("small_corpora")
whole = pytest.fixture(scope="module")(unharmed)


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
            assert (checkpoint.load(run.model).summary.step or 0) > 0
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
    assert "resuming from the save before it, step 2" in warning
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

    step = checkpoint.load(session.run.model).summary.step
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
