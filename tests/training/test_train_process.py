"""`charrnn train` as a process that is interrupted, killed, or no longer read."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.training import TEXTS

OPTIONS = [
    *("--hidden", "8", "--embed", "4", "--batch", "4", "--bptt", "8"),
    *("--threads", "1", "--precision", "fp32", "-o", "run", "--json"),
]
#: the signals that end a process, and its exit code then
SIGNALS = {"int": (signal.SIGINT, 130), "kill": (signal.SIGKILL, -9)}
MORE = ("--steps", "1000000", "--save-every", "0.05s")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@dataclass
class Ended:
    """A process that ended while it trained."""

    name: str
    folder: Path
    exit_code: int
    stderr: str
    took_s: float  #: from the signal on


def start(folder: Path, *args: str) -> "subprocess.Popen[bytes]":
    """Begin to train in a folder of its own."""
    folder.mkdir()
    (folder / "prose.txt").write_text(TEXTS["file"])
    return subprocess.Popen(
        [sys.executable, "-m", "charrnn", "train", "prose.txt", *OPTIONS, *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Stop several processes at random moments, all of them started at once."""
    folder = tmp_path_factory.mktemp("ended")
    running = {name: start(folder / name, *MORE) for name in SIGNALS}
    found = {}
    for name, process in running.items():
        assert process.stdout
        process.stdout.readline()  # it trains
        # with any moment something else may be under way
        time.sleep(random.uniform(0, 0.3))
        sent_s = time.monotonic()
        process.send_signal(SIGNALS[name][0])
        _, stderr = process.communicate(timeout=20)
        took_s = time.monotonic() - sent_s
        found[name] = Ended(
            name, folder / name, process.returncode, stderr.decode(), took_s
        )
    return found


every_end = pytest.mark.parametrize("name", SIGNALS)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, path.read_text().splitlines())


@every_end
def test_exit_code_says_how_it_ended(name: str, ended: dict[str, Ended]) -> None:
    assert ended[name].exit_code == SIGNALS[name][1]


def test_stopped_process_says_that_it_saved_and_how_to_go_on(
    ended: dict[str, Ended],
) -> None:
    assert ended["int"].stderr.splitlines() == [
        "stopping; a second signal stops immediately",
        "interrupted and saved: run",
        "the same command resumes it",
    ]


def test_stopped_process_is_out_within_five_seconds(ended: dict[str, Ended]) -> None:
    assert ended["int"].took_s < 5


@every_end
def test_same_command_goes_on_where_the_process_ended(
    name: str, ended: dict[str, Ended], charrnn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ended[name].folder)

    first, last = one_step_more(charrnn)

    assert first["continues"]
    assert last["steps"] == first["step"] + 1
    assert steps_of(Path("run/metrics.jsonl")) == sorted(
        set(steps_of(Path("run/metrics.jsonl")))
    )


def one_step_more(charrnn: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Go on with a run; return its first and its last event."""
    # a smaller budget ends a run with its next step
    result = charrnn("train", "prose.txt", *OPTIONS, *MORE, "--steps", "1")
    assert result.exit_code == 0
    first, *_, last = map(json.loads, result.stdout.splitlines())
    return first, last


def steps_of(path: Path) -> list[int]:
    return [line["step"] for line in lines(path) if line["event"] == "step"]


def signal_soon(*numbers: signal.Signals) -> threading.Thread:
    """Send signals to this process at some moment after training has begun."""

    def send() -> None:
        while not Path("run/metrics.jsonl").exists():
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.1))
        for number in numbers:
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("repetition", range(2))
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_training_goes_on_after_a_signal_at_any_moment(
    number: signal.Signals, repetition: int, charrnn: Any
) -> None:
    Path("prose.txt").write_text(TEXTS["file"])
    sender = signal_soon(number)

    result = charrnn("train", "prose.txt", *OPTIONS, *MORE)

    sender.join()
    assert result.exit_code == CODES[number]
    first, _ = one_step_more(charrnn)
    *_, stopped = map(json.loads, result.stdout.splitlines())
    assert first["step"] == stopped["step"] > 0


@pytest.mark.promise("R14")
def test_second_signal_leaves_at_once(tmp_path: Path) -> None:
    process = start(tmp_path / "twice", *MORE)
    assert process.stdout
    process.stdout.readline()

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)

    _, stderr = process.communicate(timeout=20)
    assert process.returncode in (130, 143)  # of the one that came second
    assert b"stopped and saved" not in stderr


@pytest.mark.promise("R14")
def test_signal_that_is_ignored_stays_so_as_under_nohup(charrnn: Any) -> None:
    Path("prose.txt").write_text(TEXTS["file"])
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sender = signal_soon(signal.SIGHUP)
    try:
        result = charrnn("train", "prose.txt", *OPTIONS, "--steps", "300")
    finally:
        sender.join()
        signal.signal(signal.SIGHUP, before)

    assert result.exit_code == 0


@pytest.mark.promise("R17")
def test_training_goes_on_when_nobody_reads_its_lines(tmp_path: Path) -> None:
    process = start(tmp_path / "piped", "--steps", "200")
    assert process.stdout
    process.stdout.readline()

    process.stdout.close()

    assert process.wait(timeout=20) == 0
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    *_, last = lines(tmp_path / "piped/run/metrics.jsonl")
    assert (last["event"], last["steps"]) == ("done", 200)
