"""R1, R14, R15: processes that are killed, stopped, or started at once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from operator import sub
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.levels import cases
from support.processes import (
    OPTIONS,
    Forked,
    Nursery,
    nursery,
    prose_folder,
    wait_for,
)

from charrnn.storage.runs import Run
from charrnn.storage.tensors import RESUME_FORMAT, read_tensors

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SAVE_EVERY_S = 0.02

forks = pytest.fixture(scope="module")(nursery)
folder = pytest.fixture(prose_folder)


def command(*more: str) -> list[str]:
    return ["train", "prose.txt", *OPTIONS, "-o", "run", "--json", *more]


def endless() -> list[str]:
    return command("--steps", "1000000", "--save-every", f"{SAVE_EVERY_S}s")


def is_training(process: Forked) -> bool:
    return any(event.get("event") == "start" for event in process.events)


@pytest.mark.promise("R1")
def test_kill_at_any_moment_loses_the_work_since_the_last_save_only(
    forks: Nursery, folder: Path
) -> None:
    chance = random.Random(1)
    before: list[dict[str, Any]] = []
    for number in range(cases(8, 500)):
        process = forks.start(folder, *endless())
        wait_for(lambda p=process: p.events, "start")
        written = chance.randint(0, 20_000)  # bytes, some 60 steps
        wait_for(lambda p=process, n=written: p.written > n, "progress")
        if number % 3 == 0:
            wait_for(lambda: is_saving(folder / "run"), "save")
        process.kill(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not process.stderr
        check_lost(before, process.events[0])
        before = process.events
    assert before[0]["step"] > 0
    end(forks, folder)


def is_saving(run: Path) -> bool:
    return any(path.name.endswith(".tmp") for path in run.iterdir())


def check_lost(before: list[dict[str, Any]], start: dict[str, Any]) -> None:
    """See that what was done after the last save, and no more, was lost."""
    if before:
        saved = [event["step"] for event in before if event["event"] == "save"]
        assert start["step"] >= max(saved, default=before[0]["step"])
        times_s = [event["elapsed_s"] for event in before]
        longest_s = max(map(sub, times_s[1:], times_s), default=0.0)
        lost_s = times_s[-1] - start["elapsed_s"]
        assert lost_s <= SAVE_EVERY_S + 2 * longest_s + 0.01  # a step, and a save


def end(forks: Nursery, folder: Path) -> None:
    """Finish a run; see that its plan, followed in one go, leads to the same."""
    assert forks.start(folder, *endless(), "--steps", "1").wait() == 0
    again = ["train", "prose.txt", "--config", "run", "-o", "again", "--json"]
    assert forks.start(folder, *again).wait() == 0
    runs = [Run(folder / name) for name in ("run", "again")]
    ours, theirs = (read_tensors(run.resume, kind=RESUME_FORMAT)[0] for run in runs)
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    steps, others = map(steps_of, runs)
    assert steps == others == sorted(set(steps))


def steps_of(run: Run) -> list[int]:
    lines = map(json.loads, run.metrics.read_text().splitlines())
    return [line["step"] for line in lines if line["event"] == "step"]


@pytest.mark.promise("R14")
def test_signal_at_any_moment_ends_quietly_and_the_run_goes_on(
    forks: Nursery, folder: Path
) -> None:
    chance = random.Random(2)
    for k in range(cases(3, 60)):
        number = list(CODES)[k % 3]
        process = forks.start(folder, *endless())
        wait_for(lambda p=process: p.begun, "begin")
        # while it prepares, and while it trains
        time.sleep(chance.uniform(0.02, 0.5))
        before_s = used_s(process.pid)
        process.kill(number)
        assert process.wait() == CODES[number], process.stderr
        # of the processor, for other programs may be running
        assert process.used_s - before_s < 5
        assert_quiet(process.stderr)
    end(forks, folder)


def used_s(pid: int) -> float:
    """Return the time of the processor that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.promise("R14")
def test_signal_while_it_loads_ends_quietly(folder: Path) -> None:
    """In processes of their own, a few at a time, for these import everything."""
    # until the first event, in seconds of this machine as busy as it is
    began_s = time.monotonic()
    first = start(folder)
    assert first.stdout
    first.stdout.readline()
    loading_s = time.monotonic() - began_s
    chance = random.Random(3)
    running = [(signal.SIGKILL, first)]
    for k in range(cases(3, 40)):
        number = list(CODES)[k % 3]
        process = start(folder, "-o", f"other-{k}")
        wait_for(lambda p=process: hears(p.pid), "handler")
        time.sleep(chance.uniform(0, loading_s))
        process.send_signal(number)
        running.append((number, process))
    for number, process in running:
        process.kill() if number == signal.SIGKILL else None
        _, stderr = process.communicate(timeout=100)
        assert process.returncode == CODES.get(number, -number)
        assert_quiet(stderr.decode())


def hears(pid: int) -> bool:
    """Return whether a process has handlers for signals; that for SIGHUP is last."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> signal.SIGHUP - 1 & 1)


def start(folder: Path, *args: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "charrnn", *endless(), *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def assert_quiet(stderr: str) -> None:
    assert "Traceback" not in stderr
    assert "ignored" not in stderr
    assert len(stderr.splitlines()) <= 6


@pytest.mark.promise("R15")
def test_of_many_simultaneous_starts_exactly_one_wins_a_folder(
    forks: Nursery, folder: Path
) -> None:
    count = cases(8, 50)
    for number in range(cases(1, 10)):
        args = [*endless(), "-o", f"run-{number}"]
        started = [forks.start(folder, *args) for _ in range(count)]
        wait_for(lambda s=started: any(map(is_training, s)), "winner")
        winners = list(filter(is_training, started))
        losers = [process for process in started if process not in winners]
        assert [process.wait() for process in losers] == [8] * (count - 1)
        (winner,) = winners
        for process in losers:
            assert f"run-{number} is in use by process " in process.stderr
        winner.kill(signal.SIGTERM)
        assert winner.wait() == 143


@pytest.mark.promise("R15")
@pytest.mark.parametrize("out", [["-o", "run"], []], ids=["named", "unnamed"])
def test_second_training_is_refused_before_anything_heavy_is_imported(
    out: list[str], forks: Nursery, folder: Path
) -> None:
    args = ["train", "prose.txt", *OPTIONS, *out, "--steps", "1000000"]
    first = forks.start(folder, *args, "--json")
    wait_for(lambda: first.events, "start")
    program = (
        "import sys, charrnn.cli.main as c\n"
        "try: c.main()\n"
        "finally: print(*{'torch'} & {*sys.modules})"
    )

    command = [sys.executable, "-c", program, *args]
    second = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stdout, stderr = second.communicate(timeout=100)

    assert second.returncode == 8
    assert stdout == b"\n"
    assert f"is in use by process {first.pid} since 20".encode() in stderr
    first.kill(signal.SIGTERM)
    assert first.wait() == 143


@pytest.mark.promise("R15")
def test_second_training_is_refused_in_less_than_a_third_of_a_second(
    forks: Nursery, folder: Path
) -> None:
    args = ["train", "prose.txt", *OPTIONS, "-o", "run", "--steps", "1000000"]
    first = forks.start(folder, *args, "--json")
    wait_for(lambda: first.events, "start")

    second = subprocess.Popen(
        [sys.executable, "-m", "charrnn", *args], cwd=folder, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(second.pid, 0)
    second.returncode = os.waitstatus_to_exitcode(status)

    first.kill(signal.SIGKILL)
    first.wait()
    assert second.returncode == 8
    # of the processor, for other programs may be running
    assert usage.ru_utime + usage.ru_stime < cases(0.6, 0.3)
