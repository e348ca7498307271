"""Run folders: names, the newest model, and one process at a time."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from charrnn.errors import BusyError, ModelFileError, NotFoundError, ResourceError
from charrnn.storage import files
from charrnn.storage.runs import Run, all_runs, find_model, new_run, runs_folder


def finished_run(stem: str, *, saved_s: float) -> Run:
    """Make a run whose model was saved at a time."""
    run = new_run(stem)
    run.write_info({"status": "finished"})
    run.model.write_bytes(b"a model")
    os.utime(run.model, (saved_s, saved_s))
    return run


# --- names


def test_runs_of_a_text_are_numbered_from_one() -> None:
    names = [new_run("poems").path.as_posix() for _ in range(3)]

    assert names == ["runs/poems-001", "runs/poems-002", "runs/poems-003"]


def test_new_run_comes_after_the_highest_number_not_into_a_gap(tmp_path: Path) -> None:
    for name in ("a-002", "a-999", "a-1000", "a-b-2000", "a-old", "ab-3000", "a-"):
        (tmp_path / name).mkdir()

    assert new_run("a", tmp_path).path.name == "a-1001"


@pytest.mark.parametrize("stem", ["[x]", "*", "a?", "**", "x**y", "-", "ü ö", "003"])
def test_any_stem_can_be_numbered(stem: str, tmp_path: Path) -> None:
    (tmp_path / f"{stem}-007").mkdir()

    assert new_run(stem, tmp_path).path.name == f"{stem}-008"


def test_simultaneous_starts_get_different_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: new_run("a", tmp_path).path, range(50)))

    assert len(set(runs)) == 50


def test_name_that_is_taken_by_a_file_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a-001").write_text("")
    (tmp_path / "a-002").symlink_to("nowhere")

    assert new_run("a", tmp_path).path.name == "a-003"


def test_runs_folder_that_is_a_file_is_a_resource_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")

    with pytest.raises(ResourceError, match="cannot write runs"):
        new_run("a")


def test_runs_are_kept_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runs_folder() == Path("runs")

    monkeypatch.setenv("CHARRNN_RUNS", str(tmp_path / "elsewhere" / "deep"))

    assert new_run("a").path == tmp_path / "elsewhere" / "deep" / "a-001"


def test_all_runs_are_the_folders_with_a_description(tmp_path: Path) -> None:
    assert all_runs() == []
    for name in ("b", "a"):
        new_run(name).write_info({})
    new_run("c")  # nothing in it yet
    (tmp_path / "runs" / "notes.txt").write_text("")

    assert [run.path.name for run in all_runs()] == ["a-001", "b-001"]


# --- the description


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"steps": 3, "loss": 1.5, "nested": {"a": [None, True]}},
        {"text": "東 \udcff"},
    ],
    ids=str,
)
def test_description_comes_back(info: dict[str, Any]) -> None:
    run = new_run("a")

    run.write_info(info)

    assert run.read_info() == info


def test_missing_description_is_empty() -> None:
    assert new_run("a").read_info() == {}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_damaged_description_is_a_model_file_error(data: bytes) -> None:
    run = new_run("a")
    (run.path / "run.json").write_bytes(data)

    with pytest.raises(ModelFileError, match=r"run\.json"):
        run.read_info()


# --- which model is meant


def test_newest_model_is_meant() -> None:
    for stem, saved_s in (("a", 100), ("b", 300), ("c", 200)):
        finished_run(stem, saved_s=saved_s)
    new_run("d").write_info({})  # has no model yet

    assert find_model() == Path("runs/b-001/model.safetensors")


def test_run_folder_or_file_can_be_named() -> None:
    run = finished_run("a", saved_s=1)
    finished_run("b", saved_s=2)

    assert find_model("runs/a-001") == run.model
    assert find_model("runs/a-001/") == run.model
    assert find_model(str(run.model)) == run.model


def test_named_model_comes_before_the_environment_before_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = {stem: finished_run(stem, saved_s=ord(stem)) for stem in "abc"}
    monkeypatch.setenv("CHARRNN_MODEL", "runs/b-001")

    assert find_model("runs/a-001") == runs["a"].model
    assert find_model() == runs["b"].model
    monkeypatch.setenv("CHARRNN_MODEL", "")
    assert find_model() == runs["c"].model


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nowhere", "the model nowhere does not exist"),
        ("runs/a-001", "the model runs/a-001 is a folder without a model"),
        ("", "the model has an empty name"),
        ("x" * 5000, "does not exist"),
        ("a\0b", "does not exist"),
    ],
    ids=["missing", "no model", "empty", "long", "nul"],
)
def test_model_that_is_not_there_is_not_found(given: str, says: str) -> None:
    new_run("a")

    with pytest.raises(NotFoundError, match=says):
        find_model(given)


def test_environment_is_blamed_for_what_it_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHARRNN_MODEL", "gone")

    with pytest.raises(NotFoundError, match=r"\$CHARRNN_MODEL gone does not exist"):
        find_model()


def test_no_model_at_all_says_where_it_looked_and_how_to_train() -> None:
    with pytest.raises(
        NotFoundError, match="there is no model yet in .*runs/"
    ) as caught:
        find_model()

    assert "charrnn train" in caught.value.hint


# --- the lock

HOLD = """
import sys, time
from pathlib import Path
from charrnn.storage.runs import Run
with Run(Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def other_process_holding(run: Run) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", HOLD, str(run.path.absolute())]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_lock_excludes_another_process_and_is_freed_by_its_death() -> None:
    run = new_run("a")

    with other_process_holding(run) as process:
        began = time.monotonic()
        with pytest.raises(BusyError) as caught, run.lock():
            pass
        took_s = time.monotonic() - began

        assert f"in use by process {process.pid} since 20" in caught.value.message
        assert took_s < 0.3
        process.kill()
        process.wait()

        with run.lock():
            pass


def test_lock_excludes_a_second_holder_in_this_process() -> None:
    run = new_run("a")

    with run.lock(), pytest.raises(BusyError, match=str(os.getpid())), run.lock():
        pass


def test_lock_is_freed_by_an_error() -> None:
    run = new_run("a")
    with pytest.raises(KeyError), run.lock():
        raise KeyError

    with run.lock():
        pass


def test_error_of_the_work_under_a_lock_is_not_blamed_on_the_lock() -> None:
    run = new_run("a")

    with pytest.raises(FileNotFoundError), run.lock():
        raise FileNotFoundError


def test_note_of_a_holder_replaces_a_longer_one(tmp_path: Path) -> None:
    for note in ("a long note of an earlier holder", "short"):
        with files.lock(tmp_path / "lock", note):
            assert (tmp_path / "lock").read_text() == note


def test_lock_in_a_missing_folder_is_a_resource_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError), Run(tmp_path / "gone").lock():
        pass


@pytest.mark.parametrize(
    ("module", "call"), [(fcntl, "flock"), (os, "ftruncate"), (os, "pwrite")]
)
def test_lock_that_fails_is_a_resource_error(
    module: Any, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = new_run("a")
    monkeypatch.setattr(module, call, fail)

    with pytest.raises(ResourceError, match="No space left"), run.lock():
        pass
