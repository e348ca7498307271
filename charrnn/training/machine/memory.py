"""Free memory, and a memory limit that turns exhaustion into an error message."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: files in which Linux reports values in kB, each with the name of its value
AVAILABLE: Final = (Path("/proc/meminfo"), "MemAvailable")
USED: Final = (Path("/proc/self/status"), "VmData")
#: folders of control groups, with the files for their limit and usage
CGROUPS: Final = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
FIGURE: Final = re.compile(r"^(?:(\w+):?\s+)?(\d+)\b", re.MULTILINE)
KEPT_FREE: Final = 0.05  #: fraction of available memory left to other programs


@contextmanager
def memory_limit() -> Iterator[None]:
    """Limit this process's memory, so that exhausting it raises MemoryError.

    Without a limit, Linux grants more memory than there is, then kills a process that
    uses it.
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
    """Return the free memory of the system, or of the control group if it has less."""
    found = [_bytes(*AVAILABLE) or _installed_bytes()]
    for folder, most, taken in CGROUPS:
        limit, used = (_figures(Path(folder, name)).get("") for name in (most, taken))
        # the usage includes cached files, which the system drops when needed
        cached = _figures(Path(folder, "memory.stat")).get("inactive_file", 0)
        if limit is not None and used is not None:
            found.append(limit - used + cached)
    return min(found)


def _installed_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _figures(path: Path) -> dict[str, int]:
    """Return the numbers in a system file by name; a bare number is named ""."""
    try:
        text = path.read_text()
    except OSError:
        return {}
    return {name: int(number) for name, number in FIGURE.findall(text)}


def _bytes(path: Path, name: str) -> int:
    """Return in bytes a value that a system file reports in kB, or 0 if missing."""
    return 1024 * _figures(path).get(name, 0)
