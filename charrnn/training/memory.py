"""A limit on memory, so that too large a text ends in a message."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MEMINFO: Final = Path("/proc/meminfo")
KEPT_FREE: Final = 0.05  #: share of what is available that is left to others


@contextmanager
def memory_limit() -> Iterator[None]:
    """Let what would take the last memory raise MemoryError.

    Without it the system grants what it doesn't have, and ends a process when that is
    used.
    """
    old = resource.getrlimit(resource.RLIMIT_DATA)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    most = int(used + (1 - KEPT_FREE) * available_bytes())
    limits = [limit for limit in (most, *old) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, old)


def available_bytes() -> int:
    """Return how much memory may still be taken; where nobody says, a great deal."""
    with suppress(OSError, ValueError):
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 1 << 60
