"""All file work of the package: no other module writes, renames or removes a file.

A published file is replaced whole or not at all. It is written under a temporary
name in the same folder (a rename across file systems would be a copy), flushed to the
disk, renamed into place, and then the folder is flushed, so that a power failure
leaves the old file or the new one.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from charrnn.errors import BusyError, ResourceError

TEMPORARY = ".tmp"


def write(path: Path, data: bytes | memoryview) -> None:
    """Publish `data` at `path` atomically. Raises ResourceError."""
    with writing(path) as out:
        out.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears at `path`, whole, when the block ends without error.

    A link stays one, and its target is replaced. What is no file, such as a pipe or
    a device, is written to as it is.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file() and not path.is_dir():
        with _said(path), path.open("wb") as out:
            yield out
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
        flush_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _resource_error(path, error) from error
        raise


def append(path: Path, data: bytes) -> None:
    """Add `data` to the end of a file, in one write. Raises ResourceError."""
    try:
        with path.open("ab") as out:
            out.write(data)
    except OSError as error:
        raise _resource_error(path, error) from error


def truncate(path: Path, size: int) -> None:
    """Cut a file to `size` bytes, if it is there and longer. Raises ResourceError."""
    try:
        if path.exists() and path.stat().st_size > size:
            os.truncate(path, size)
    except OSError as error:
        raise _resource_error(path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder and its parents, if missing. Raises ResourceError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _resource_error(path, error) from error


def claim_folder(path: Path) -> bool:
    """Make a folder that must be new; False if it is there already."""
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _resource_error(path, error) from error
    return True


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises ResourceError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _resource_error(path, error) from error


def remove_folder(path: Path) -> None:
    """Remove a folder and what is in it, as far as that is possible."""
    shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of writers that died; only while holding the lock."""
    for path in folder.glob(f"*{TEMPORARY}"):
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def lock(path: Path, note: str) -> Iterator[None]:
    """Hold a lock file with a note about its holder while the block runs.

    The kernel drops the lock when the process dies, however it dies. Raises
    BusyError, with the other holder's note, when the lock is taken.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _resource_error(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.pwrite(handle, note.encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(handle, 1000, 0).decode("utf-8", "replace").strip()
            raise BusyError(
                f"{path.parent} is in use by {holder or 'another process'}",
                hint="wait for it, stop it, or train into another folder with -o",
            ) from error
        except OSError as error:
            raise _resource_error(path, error) from error
        yield
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn the system's errors into ResourceError."""
    try:
        yield
    except OSError as error:
        raise _resource_error(path, error) from error


def _resource_error(path: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"cannot write {path}: {error.strerror or error}",
        hint="check the free space and your rights there, or choose another folder",
    )
