"""Processes of the command line that start in milliseconds: torch is loaded once.

A process that has loaded torch, and computed nothing yet, is forked for each command.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.training import TEXTS

OPTIONS = [
    *("--hidden", "8", "--embed", "4", "--batch", "4", "--bptt", "8"),
    *("--threads", "1", "--precision", "fp32"),
]

# a line {"args", "folder", "out"} is answered by the process id of a fork, a line
# {"wait": id} by its exit code and seconds; None after 100 s
PROGRAM = """
import json, os, signal, sys, time
import torch
import charrnn.cli.app, charrnn.cli.train.view
import charrnn.training.gradient_session, charrnn.training.prepare
from charrnn.cli.main import _leave, main

torch.set_num_threads(1)

def ended(pid):
    for _ in range(20_000):
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        time.sleep(0.005)

for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        print(json.dumps(ended(asked["wait"])), flush=True)
        continue
    pid = os.fork()
    if not pid:
        os.chdir(asked["folder"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            path = f"{asked['out']}.{name}"
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
        sys.argv = ["charrnn", *asked["args"]]
        # as main does: a signal at the moment of a fork is lost
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        open(f"{asked['out']}.begun", "w").close()
        main()
    print(pid, flush=True)
"""


@dataclass
class Forked:
    """A command that runs in a folder."""

    nursery: "Nursery"
    pid: int
    out: Path
    used_s: float = 0.0  #: of the processor, when it has ended

    def kill(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Return the exit code, -N for a signal."""
        ended = self.nursery.ask(wait=self.pid)
        assert ended, f"hangs: {self.stderr}"
        self.used_s = float(ended[1])
        return int(ended[0])

    @property
    def begun(self) -> bool:
        """Whether a signal is heard."""
        return self.out.with_suffix(".begun").exists()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole lines of JSON on stdout so far."""
        *whole, _ = self.out.with_suffix(".out").read_bytes().split(b"\n")
        return [json.loads(line) for line in whole]

    @property
    def written(self) -> int:
        """How many bytes went to stdout so far."""
        return self.out.with_suffix(".out").stat().st_size

    @property
    def stderr(self) -> str:
        return self.out.with_suffix(".err").read_text()


class Nursery:
    """Forks commands. To be closed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._count = 0

    def ask(self, **values: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(values), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def start(self, folder: Path, *args: str) -> Forked:
        """Run a command in a folder; its output goes beside that."""
        self._count += 1
        out = folder.absolute().parent / f"output-{self._count}"
        for suffix in (".out", ".err"):
            out.with_suffix(suffix).touch()
        pid = self.ask(args=args, folder=str(folder.absolute()), out=str(out))
        return Forked(self, pid, out)

    def close(self) -> None:
        self._process.communicate()


def nursery() -> Iterator[Nursery]:
    """Open a nursery for the tests of a module."""
    opened = Nursery()
    yield opened
    opened.close()


def prose_folder(tmp_path: Path) -> Path:
    """Return a folder with a text."""
    made = tmp_path / "work"
    made.mkdir()
    (made / "prose.txt").write_text(TEXTS["file"])
    return made


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Look again and again, for 100 s at most: other programs may be running."""
    until = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < until, f"no {what}"
        time.sleep(0.001)
