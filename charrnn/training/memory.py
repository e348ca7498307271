"""What memory there is, and a limit, so that too large a text ends in a message."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: where Linux says it, and under which name; other systems don't
AVAILABLE: Final = (Path("/proc/meminfo"), "MemAvailable")
USED: Final = (Path("/proc/self/status"), "VmData")
FIGURE: Final = re.compile(r"^(?:(\w+):?\s+)?(\d+)\b", re.MULTILINE)
KEPT_FREE: Final = 0.05  #: share of what is available that is left to others


@contextmanager
def memory_limit() -> Iterator[None]:
    """Let what would take the last memory raise MemoryError.

    Without it the system grants what it doesn't have, and ends a process when that is
    used.
    """
    old = resource.getrlimit(resource.RLIMIT_DATA)
    most = _bytes(*USED) + int((1 - KEPT_FREE) * _bytes(*AVAILABLE))
    limits = [limit for limit in (most, *old) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, old)


def installed_bytes() -> int:
    """Return how much memory the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def figures(path: Path) -> dict[str, int]:
    """Return the numbers in a file of the system by their names, "" without one."""
    try:
        text = path.read_text()
    except OSError:
        return {}
    return {name: int(number) for name, number in FIGURE.findall(text)}


def _bytes(path: Path, name: str) -> int:
    """Return a figure in kB of a file of the system; without it a very large one."""
    return 1024 * figures(path).get(name, 1 << 50)
