"""What memory there is, and a limit, so that too large a text ends in a message."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: where Linux says it in kB, and under which name; other systems don't
AVAILABLE: Final = (Path("/proc/meminfo"), "MemAvailable")
USED: Final = (Path("/proc/self/status"), "VmData")
#: folder of a control group, and where it says how much it may take, and takes
CGROUPS: Final = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
FIGURE: Final = re.compile(r"^(?:(\w+):?\s+)?(\d+)\b", re.MULTILINE)
KEPT_FREE: Final = 0.05  #: share of what is available that is left to others


@contextmanager
def memory_limit() -> Iterator[None]:
    """Let what would take the last memory raise MemoryError.

    Without it the system grants what it doesn't have, and ends a process when that is
    used.
    """
    old = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [limit for limit in old if limit != resource.RLIM_INFINITY]
    if used := _bytes(*USED):
        limits.append(used + int((1 - KEPT_FREE) * available_bytes()))
    if limits:
        resource.setrlimit(resource.RLIMIT_DATA, (min(limits), old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, old)


def available_bytes() -> int:
    """Return how much memory is free, and in the control group."""
    found = [_bytes(*AVAILABLE) or _installed_bytes()]
    for folder, most, taken in CGROUPS:
        limit, used = (_figures(Path(folder, name)).get("") for name in (most, taken))
        # files that were read are given up when memory is wanted
        given_up = _figures(Path(folder, "memory.stat")).get("inactive_file", 0)
        if limit is not None and used is not None:
            found.append(limit - used + given_up)
    return min(found)


def _installed_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _figures(path: Path) -> dict[str, int]:
    """Return the numbers in a file of the system by their names, "" without one."""
    try:
        text = path.read_text()
    except OSError:
        return {}
    return {name: int(number) for name, number in FIGURE.findall(text)}


def _bytes(path: Path, name: str) -> int:
    """Return what a file of the system says in kB, 0 if it says nothing."""
    return 1024 * _figures(path).get(name, 0)
