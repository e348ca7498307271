"""What Python notes of imports, processes, sockets and files while a block runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

Event = tuple[str, tuple[Any, ...]]

#: where the hook puts what happens; which cannot be taken away again
_listening: list[list[Event]] = []

RUNNING = (
    "import", "exec", "compile", "code.", "marshal.", "pickle.", "ctypes.", "os.system",
    "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.", "pty.",
    "cpython.run",
)  # fmt: skip
NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "ssl.")
CHANGING = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "os.utime", "os.mkfifo", "shutil.",
)  # fmt: skip
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _hook(name: str, given: tuple[Any, ...]) -> None:
    if name == "os.mkdir" and os.path.isdir(given[0]):
        return  # it stays as it is
    for events in _listening:
        events.append((name, given))


@cache
def _install() -> None:
    sys.addaudithook(_hook)


@contextmanager
def noted() -> Iterator[list[Event]]:
    """Yield a list of all that happens until the block ends."""
    _install()
    events: list[Event] = []
    _listening.append(events)
    try:
        yield events
    finally:
        _listening.remove(events)


def of_kind(events: list[Event], prefixes: tuple[str, ...]) -> list[Event]:
    """Return the events whose name begins with one of these."""
    return [event for event in events if event[0].startswith(prefixes)]


def changed_paths(events: list[Event]) -> set[str]:
    """Return the paths that were opened for writing, made, renamed or removed."""
    paths: set[Any] = set()
    for name, given in events:
        if name == "open" and isinstance(given[2], int) and given[2] & WRITE_FLAGS:
            paths.add(given[0])
        elif name.startswith(CHANGING):
            paths.update(given)
    named = (path for path in paths if isinstance(path, str | bytes | os.PathLike))
    return {os.path.abspath(os.fsdecode(path)) for path in named}
