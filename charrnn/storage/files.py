"""All file work of the package: no other module writes, renames or removes a file.

A published file is replaced whole or not at all. It is written under a temporary
name in the same folder (a rename across file systems would be a copy), flushed to the
disk, renamed into place, and then the folder is flushed, so that a power failure
leaves the old file or the new one.

The system is called as `os.NAME` and `fcntl.NAME` only, so that tests can put their
own `os` and `fcntl` here: one fails at the n-th call, one notes what was not flushed.
"""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from charrnn.errors import BusyError, ResourceError

TEMPORARY = ".tmp"
LEFT_OVER = re.compile(rf"\.\d+{re.escape(TEMPORARY)}$")  # after the process


class Output:
    """A file that is being written."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes at the end, all of them."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._handle, left) :]


def write(path: Path, data: bytes | memoryview) -> None:
    """Publish `data` at `path` atomically. Raises ResourceError."""
    with writing(path) as out:
        out.write(data)


@contextlib.contextmanager
def writing(path: Path, *, keep: Path | None = None) -> Iterator[Output]:
    """Open a file that appears at `path`, whole, when the block ends without error.

    keep: where the file goes that it replaces, if any. A link stays one, and its
    target is replaced. What is no file, such as a pipe or a device, is written to as
    it is. Raises ResourceError.
    """
    path = Path(os.path.realpath(path))
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        with _said(path), _opened(path, os.O_WRONLY) as handle:
            yield Output(handle)
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    with _said(path):
        try:
            with _opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as handle:
                yield Output(handle)
                os.fsync(handle)
            if keep and os.path.exists(path):
                os.replace(path, keep)
            os.replace(temporary, path)
            _flush_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def append(path: Path, data: bytes, *, at: int) -> None:
    """Add `data` to the first `at` bytes of a file; what stood there after is cut.

    It is on the disk only when the file is flushed, and so is its folder, as when
    another file in it is published. Raises ResourceError.
    """
    with _said(path), _opened(path, os.O_WRONLY | os.O_CREAT) as handle:
        os.ftruncate(handle, at)
        os.lseek(handle, 0, os.SEEK_END)
        Output(handle).write(data)


def flush(path: Path) -> None:
    """Bring what was appended to a file to the disk. Raises ResourceError."""
    with _said(path), _opened(path, os.O_RDONLY) as handle:
        os.fsync(handle)


def replace(source: Path, target: Path) -> None:
    """Rename a file to what may be there already. Raises ResourceError."""
    with _said(target):
        os.replace(source, target)
        _flush_folder(target.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, if missing. Raises ResourceError."""
    missing = [folder for folder in (path, *path.parents) if not os.path.isdir(folder)]
    with _said(path):
        for folder in reversed(missing):
            try:
                os.mkdir(folder)
            except FileExistsError:  # by another process, just now
                if not os.path.isdir(folder):
                    raise
            _flush_folder(folder.parent)


def claim_folder(path: Path) -> bool:
    """Make a folder that must be new; False if it is there. Raises ResourceError."""
    make_folder(path.parent)
    with _said(path):
        try:
            os.mkdir(path)
        except FileExistsError:
            return False
        _flush_folder(path.parent)
    return True


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises ResourceError."""
    with _said(path), contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        _flush_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder and what is in it, as far as that is possible."""
    shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of writers that died; only while holding the lock."""
    with _said(folder):
        names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in names:
        if LEFT_OVER.search(name):
            with contextlib.suppress(OSError):
                os.unlink(folder / name)


@contextlib.contextmanager
def lock(path: Path, note: str) -> Iterator[None]:
    """Hold a lock file with a note about its holder while the block runs.

    The kernel drops the lock when the process dies, however it dies. Raises
    BusyError, with the other holder's note, when the lock is taken, and
    ResourceError.
    """
    with _said(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with _said(path):
            _flock(handle, path, fcntl.LOCK_EX)
            os.ftruncate(handle, 0)
            os.pwrite(handle, note.encode(), 0)
        yield
    finally:
        os.close(handle)


def check_unlocked(path: Path) -> None:
    """Raise BusyError, with the holder's note, if a process holds a lock file.

    Raises ResourceError if that cannot be seen.
    """
    if not os.path.exists(path):
        return
    with _said(path), _opened(path, os.O_RDONLY) as handle:
        _flock(handle, path, fcntl.LOCK_SH)


def _flock(handle: int, path: Path, kind: int) -> None:
    """Lock a file, or raise BusyError with the note of who holds it."""
    patience = 10
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            holder = os.pread(handle, 1000, 0).decode("utf-8", "replace").strip()
            if not patience:
                raise BusyError(
                    f"{path.parent} is in use by {holder or 'another process'}",
                    hint="wait for it, stop it, or train into another folder with -o",
                ) from error
        # it may only be looked at, or not have its note yet
        patience -= 1
        time.sleep(0.005)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file; its mode is 0666 less the umask if it is made here."""
    handle = os.open(path, flags, 0o666)
    try:
        yield handle
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    with _opened(folder, os.O_RDONLY) as handle:
        os.fsync(handle)


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn the system's errors into ResourceError."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"cannot write {path}: {error.strerror or error}",
            hint="check the free space and your rights there, or choose another folder",
        ) from error
