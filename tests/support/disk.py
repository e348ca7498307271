"""Systems for `charrnn.files` to call: one that fails, one that notes what it did.

with calling(system): ...
"""

import fcntl
import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EACCES, EIO, ENOSPC, EROFS
from pathlib import Path
from typing import Any

import pytest

from charrnn.storage import files

CODES = (ENOSPC, EIO, EACCES, EROFS)
OPERATIONS = {
    "open", "write", "fsync", "replace", "unlink", "mkdir", "listdir", "ftruncate",
    "pwrite", "flock",
}  # fmt: skip


class System:
    """Calls `os` and `fcntl`, each operation by way of `operate`."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name) if hasattr(os, name) else getattr(fcntl, name)
        if name not in OPERATIONS:
            return found
        return lambda *given: self.operate(name, found, *given)

    def operate(self, name: str, call: Callable[..., Any], *given: Any) -> Any:
        return call(*given)


class FailingSystem(System):
    """Fails at the n-th operation, once or for ever; a write is half done then."""

    def __init__(self, at: int = 0, code: int = EIO, *, for_ever: bool = False) -> None:
        self.at, self.code, self.for_ever = at, code, for_ever
        self.operations = 0

    def operate(self, name: str, call: Callable[..., Any], *given: Any) -> Any:
        self.operations += 1
        is_later = self.for_ever and self.operations > self.at > 0
        if self.operations != self.at and not is_later:
            return call(*given)
        if name == "write":
            handle, data = given
            call(handle, data[: len(data) // 2])
        raise OSError(self.code, os.strerror(self.code))


@dataclass(eq=False)
class Inode:
    """A file: what is on the disk, and the writes (place, bytes) that may not be.

    A write of None cuts the file to `place` bytes. A folder is no file.
    """

    data: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    is_folder: bool = False


#: names that change at once, and what they stand for then
Names = dict[str, Inode | None]


class RecordingSystem(System):
    """Notes every operation, to say later what a power failure could leave."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []

    def mark(self, value: object) -> None:
        """Note that something was promised by now."""
        self.log.append(("mark", value))

    def operate(self, name: str, call: Callable[..., Any], *given: Any) -> Any:
        result = call(*given)
        if name == "open":
            path, flags = os.path.abspath(given[0]), given[1]
            self.log.append((name, result, path, flags, os.path.isdir(path)))
        elif name in ("replace", "unlink", "mkdir"):
            self.log.append((name, *map(os.path.abspath, given)))
        elif name == "write":
            self.log.append((name, given[0], bytes(given[1][:result])))
        elif name in ("ftruncate", "fsync"):
            self.log.append((name, *given))
        return result


class Disk:
    """What a log says: the names and files that are seen, and those that are kept."""

    def __init__(self) -> None:
        self.seen: dict[str, Inode] = {}
        self.kept: dict[str, Inode] = {}
        self.pending: dict[str, list[Names]] = defaultdict(list)
        self.marks: list[Any] = []
        self._handles: dict[int, str | Inode] = {}
        self._ends: dict[Inode, int] = defaultdict(int)

    def do(self, name: str, *given: Any) -> None:
        """Do one operation of a log."""
        getattr(self, f"_{name}")(*given)

    def crashed(self, chance: random.Random) -> dict[str, bytes | None]:
        """Return what could be there after a power failure; None is a folder.

        Of what was not flushed, names come or not, and writes come, don't, or come
        as other bytes.
        """
        names, share = dict(self.kept), chance.choice((0.0, 0.5, 0.9, 1.0))
        for changes in self.pending.values():
            for change in changes:
                if chance.random() < share:
                    _change(names, change)
        return {
            name: None if inode.is_folder else _torn(inode, share, chance)
            for name, inode in names.items()
        }

    def _mark(self, value: object) -> None:
        self.marks.append(value)

    def _open(self, handle: int, path: str, flags: int, is_folder: bool) -> None:
        if is_folder:
            self._handles[handle] = path
            return
        if path not in self.seen:
            self._name({path: Inode()})
        self._handles[handle] = self.seen[path]
        if flags & os.O_TRUNC:
            self._ftruncate(handle, 0)

    def _write(self, handle: int, data: bytes) -> None:
        inode = self._handles[handle]
        assert isinstance(inode, Inode)
        inode.pending.append((self._ends[inode], data))
        self._ends[inode] += len(data)

    def _ftruncate(self, handle: int, size: int) -> None:
        inode = self._handles[handle]
        assert isinstance(inode, Inode)
        inode.pending.append((size, None))
        self._ends[inode] = size

    def _fsync(self, handle: int) -> None:
        file = self._handles[handle]
        if isinstance(file, Inode):
            file.data = _written(file.data, file.pending)
            file.pending.clear()
            return
        for change in self.pending.pop(file, []):
            _change(self.kept, change)

    def _replace(self, source: str, target: str) -> None:
        self._name({source: None, target: self.seen[source]})

    def _unlink(self, path: str) -> None:
        self._name({path: None})

    def _mkdir(self, path: str) -> None:
        self._name({path: Inode(is_folder=True)})

    def _name(self, change: Names) -> None:
        _change(self.seen, change)
        self.pending[os.path.dirname(next(iter(change)))].append(change)


def _change(names: dict[str, Inode], change: Names) -> None:
    for name, inode in change.items():
        if inode:
            names[name] = inode
        else:
            names.pop(name, None)


def _written(data: bytes, writes: Iterable[tuple[int, bytes | None]]) -> bytes:
    for place, block in writes:
        if block is None:
            data = data[:place].ljust(place, b"\0")
        else:
            data = data[:place].ljust(place, b"\0") + block + data[place + len(block) :]
    return data


def _torn(inode: Inode, share: float, chance: random.Random) -> bytes:
    writes: list[tuple[int, bytes | None]] = []
    for place, block in inode.pending:
        what = chance.random()
        if what < share:
            writes.append((place, block))
        elif block and what > (1 + share) / 2:
            writes.append((place, chance.randbytes(len(block))))
    return _written(inode.data, writes)


def restore(content: Mapping[str, bytes | None], source: Path, target: Path) -> None:
    """Make a folder of what is left of another: a name counts if its folder is."""
    target.mkdir()
    if str(source) not in content:
        return
    for name in sorted(content):
        inside = Path(name)
        if inside.is_relative_to(source) and inside != source:
            path, data = target / inside.relative_to(source), content[name]
            if data is None:
                path.mkdir()
            elif path.parent.is_dir():
                path.write_bytes(data)


@contextmanager
def calling(system: object) -> Iterator[None]:
    """Let the file work of the package call this system."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", system)
        patch.setattr(files, "fcntl", system)
        yield
