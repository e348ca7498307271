"""R5, R18 and 24 hours: disks that fill, odd places, and runs that take long."""

import os
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.levels import cases
from support.processes import OPTIONS, Nursery, nursery, prose_folder, wait_for

from charrnn.errors import NotFoundError
from charrnn.storage.runs import Run
from charrnn.storage.tensors import RESUME_FORMAT, read_tensors

forks = pytest.fixture(scope="module")(nursery)
folder = pytest.fixture(prose_folder)

SOAK_S = float(os.environ.get("CHARRNN_SOAK_S", cases(3, 1200)))


@pytest.mark.promise("R5")
def test_training_goes_on_while_files_cannot_grow_and_saves_when_they_can(
    forks: Nursery, folder: Path
) -> None:
    args = ["train", "prose.txt", *OPTIONS, "-o", "run"]
    args += ["--steps", "1000000", "--save-every", "0.02s"]
    run = Run(folder / "run")
    process = forks.start(folder, *args)
    wait_for(run.resume.exists, "save")
    # as if the disk was full: no file may grow beyond what stderr needs
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4000, -1))
    wait_for(lambda: "warning: cannot write" in process.stderr, "warning")
    full = step_of(run)
    time.sleep(0.5)  # some saves more
    assert step_of(run) == full
    assert process.stderr.count("warning") == 1

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (-1, -1))

    wait_for(lambda: step_of(run) > full, "save when there is room")
    process.kill(signal.SIGTERM)
    assert process.wait() == 143
    assert forks.start(folder, *args, "--steps", "1").wait() == 0


def step_of(run: Run) -> int:
    try:
        meta = read_tensors(run.resume, kind=RESUME_FORMAT)[1]
    except NotFoundError:  # just renamed, and the next one is not there yet
        meta = read_tensors(run.previous, kind=RESUME_FORMAT)[1]
    return int(meta["counters"]["step"])


@pytest.mark.promise("R5")
def test_disk_on_which_nothing_was_ever_saved_exits_with_6(
    forks: Nursery, folder: Path
) -> None:
    args = ["train", "prose.txt", *OPTIONS, "-o", "run", "--json"]
    process = forks.start(folder, *args, "--steps", "1000000")
    wait_for(lambda: process.events, "start")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, -1))

    process.kill(signal.SIGTERM)

    assert process.wait() == 6
    assert "cannot write" in process.stderr
    assert len(process.stderr.splitlines()) <= 6


@pytest.mark.promise("R18")
def test_copied_run_gives_the_same_scores_from_any_place(
    char_run: Path, process: Any, tmp_path: Path
) -> None:
    # by a process, too, and in its setting: others may choose other products
    expected = process("score", "the dog", "-m", char_run, "--json").stdout.decode()
    copied = tmp_path / "lecteur de médias"
    shutil.copytree(char_run, copied)
    for path in (*copied.iterdir(), copied):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = [(path.name, path.stat().st_mtime_ns) for path in copied.iterdir()]
    env = dict(os.environ) | {"LC_ALL": "C", "HOME": "/nonexistent"}

    scored = process("score", "the dog", "-m", copied, "--json", cwd="/", env=env)
    sampled = process("sample", "-m", copied, "-l", "9", cwd="/", env=env)

    assert (scored.returncode, sampled.returncode) == (0, 0)
    ours, theirs = (
        text[: text.index('"model"')] for text in (scored.stdout.decode(), expected)
    )
    assert ours == theirs
    assert before == [(path.name, path.stat().st_mtime_ns) for path in copied.iterdir()]
    copied.chmod(0o755)


@pytest.mark.promise("24 hours")
def test_memory_and_open_files_stay_the_same_for_hours(
    forks: Nursery, folder: Path
) -> None:
    args = ["train", "prose.txt", *OPTIONS, "-o", "run", "--json"]
    args += ["--time", f"{10 * SOAK_S}s", "--save-every", "0.5s"]
    process = forks.start(folder, *args)
    wait_for(lambda: b'"save"' in tail(process.out), "save")

    seen = list(watch(process.pid, SOAK_S))

    process.kill(signal.SIGTERM)
    assert process.wait() == 143
    first_bytes, last_bytes = seen[len(seen) // 10][0], seen[-1][0]
    half = len(seen) // 2
    print(f"{last_bytes - first_bytes:,} bytes more after {SOAK_S:g} s")  # noqa: T201
    assert last_bytes - first_bytes < 50_000_000
    # a save has one more open while it is written
    early, late = (
        min(files for _, files in part) for part in (seen[:half], seen[half:])
    )
    assert late == early


def tail(out: Path) -> bytes:
    return out.with_suffix(".out").read_bytes()[-100_000:]


def watch(pid: int, seconds: float) -> Iterator[tuple[int, int]]:
    """Yield memory in use, and the most of some counts of open files."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    for _ in range(30):
        files = 0
        until = time.monotonic() + seconds / 30
        while time.monotonic() < until:
            files = max(files, len(os.listdir(f"/proc/{pid}/fd")))
            time.sleep(seconds / 600)
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        yield resident * page_bytes, files
