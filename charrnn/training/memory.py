"""A limit on memory, so that too large a text ends in a message."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: where Linux says it, and under which name; other systems don't
AVAILABLE: Final = (Path("/proc/meminfo"), "MemAvailable")
USED: Final = (Path("/proc/self/status"), "VmData")
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


def _bytes(path: Path, name: str) -> int:
    """Return a figure of a file of the system; a very large one if it is not there."""
    try:
        found = [line for line in path.read_text().splitlines() if f"{name}:" in line]
        return int(found[0].split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        return 1 << 60
