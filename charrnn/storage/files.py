"""File operations. No other module writes, renames or removes files.

A file is replaced as a whole or not at all. It is written under a temporary name in
the same folder (renaming is not atomic across file systems), flushed to disk and
renamed. Then the folder is flushed. After a power failure, either the old file or the
new one exists.

System functions are called only as `os.NAME` and `fcntl.NAME`. Tests can therefore
replace `os` and `fcntl` here to make the n-th call fail or to track unflushed data.
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
LEFT_OVER = re.compile(rf"\.\d+{re.escape(TEMPORARY)}$")  # NAME.PID.tmp


class Output:
    """A file that is open for writing."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def write(self, data: bytes | memoryview) -> None:
        """Append all bytes of `data` to the file."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._handle, left) :]


def write(path: Path, data: bytes | memoryview) -> None:
    """Write `data` to `path` atomically. Raises ResourceError."""
    with writing(path) as out:
        out.write(data)


@contextlib.contextmanager
def writing(path: Path, *, keep: Path | None = None) -> Iterator[Output]:
    """Open a file that appears at `path` when the block ends without an error.

    keep: a path that the replaced file is moved to. If `path` is a symbolic link, its
    target is replaced. A pipe or device is written to directly. Raises ResourceError.
    """
    path = Path(os.path.realpath(path))
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        with _as_resource_error(path), _opened(path, os.O_WRONLY) as handle:
            yield Output(handle)
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    with _as_resource_error(path):
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
    """Truncate a file to `at` bytes and append `data`. Raises ResourceError.

    The data is durable only after `flush`. If the file is new, its folder must also be
    flushed, for example by publishing another file in that folder.
    """
    with _as_resource_error(path), _opened(path, os.O_WRONLY | os.O_CREAT) as handle:
        os.ftruncate(handle, at)
        os.lseek(handle, 0, os.SEEK_END)
        Output(handle).write(data)


def flush(path: Path) -> None:
    """Flush appended data to disk. Raises ResourceError."""
    with _as_resource_error(path), _opened(path, os.O_RDONLY) as handle:
        os.fsync(handle)


def replace(source: Path, target: Path) -> None:
    """Rename a file, replacing the target if it exists. Raises ResourceError."""
    with _as_resource_error(target):
        os.replace(source, target)
        _flush_folder(target.parent)


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents. Raises ResourceError."""
    missing = [folder for folder in (path, *path.parents) if not os.path.isdir(folder)]
    with _as_resource_error(path):
        for folder in reversed(missing):
            try:
                os.mkdir(folder)
            except FileExistsError:  # another process has just created it
                if not os.path.isdir(folder):
                    raise
            _flush_folder(folder.parent)


def claim_folder(path: Path) -> bool:
    """Create a folder; return False if it already exists. Raises ResourceError."""
    make_folder(path.parent)
    with _as_resource_error(path):
        try:
            os.mkdir(path)
        except FileExistsError:
            return False
        _flush_folder(path.parent)
    return True


def remove(path: Path) -> None:
    """Remove a file if it exists. Raises ResourceError."""
    with _as_resource_error(path), contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        _flush_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder and its contents; ignore errors."""
    shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of dead processes. The caller must hold the lock."""
    with _as_resource_error(folder):
        names = os.listdir(folder) if os.path.isdir(folder) else []
    for name in names:
        if LEFT_OVER.search(name):
            with contextlib.suppress(OSError):
                os.unlink(folder / name)


@contextlib.contextmanager
def lock(path: Path, note: str) -> Iterator[None]:
    """Lock a file while the block runs, and write a note about the holder into it.

    If the process dies for any reason, the kernel releases the lock. Raises
    ResourceError, or BusyError with the note of the other holder.
    """
    with _as_resource_error(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with _as_resource_error(path):
            _flock(handle, path)
            os.ftruncate(handle, 0)
            os.pwrite(handle, note.encode(), 0)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, path: Path) -> None:
    """Lock a file, or raise BusyError with the note of the holder."""
    holder = ""
    for _ in range(10):
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 1000, 0).decode("utf-8", "replace").strip()
        if holder:
            break
        time.sleep(0.005)  # the holder may not have written its note yet
    raise BusyError(
        f"{path.parent} is in use by {holder or 'another process'}",
        hint="wait for it, stop it, or train into another folder with `out`",
    )


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file. A new file gets mode 0666 minus the umask."""
    handle = os.open(path, flags, 0o666)
    try:
        yield handle
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Flush a folder to disk, so that renames in it are durable."""
    with _opened(folder, os.O_RDONLY) as handle:
        os.fsync(handle)


@contextlib.contextmanager
def _as_resource_error(path: Path) -> Iterator[None]:
    """Convert an OSError to a ResourceError."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"cannot write {path}: {error.strerror or error}",
            hint="check the free space and permissions there, or choose another folder",
        ) from error
