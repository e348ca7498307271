"""How a file is written: whole or not at all, and nothing left behind."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from checkpoints_for_tests import some_model

from charrnn import files
from charrnn.checkpoint import save
from charrnn.errors import ResourceError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_failed_save_leaves_the_old_file_and_nothing_else(
    failing: str, code: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, some_model())
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(ResourceError, match=os.strerror(code)):
            save(path, some_model(hidden=4))

    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_full_disk_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, some_model())
    before = path.read_bytes()

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> None:
            self.file.write(data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

    opened = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, mode: Full(opened(self, mode)))
        with pytest.raises(ResourceError, match="No space left"):
            save(path, some_model(hidden=4))

    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_interrupted_writing_leaves_the_old_file(
    error: type[BaseException], path: Path
) -> None:
    files.write(path, b"old")

    def write_half() -> None:
        with files.writing(path) as out:
            out.write(b"half of the new")
            raise error

    with pytest.raises(error):
        write_half()

    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_file_appears_only_when_it_is_whole(path: Path) -> None:
    with files.writing(path) as out:
        out.write(b"content")
        out.flush()
        assert not path.exists()

    assert path.read_bytes() == b"content"


def test_reader_of_the_old_file_keeps_it(path: Path) -> None:
    files.write(path, b"old")
    with path.open("rb") as reader:
        files.write(path, b"new")

        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_save_into_a_missing_folder_is_a_resource_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="cannot write"):
        save(tmp_path / "no" / "model.safetensors", some_model())


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_mode_is_0666_less_the_umask(umask: int, path: Path) -> None:
    old = os.umask(umask)
    try:
        save(path, some_model())
    finally:
        os.umask(old)

    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_leftovers_of_writers_that_died_are_removed(path: Path) -> None:
    files.write(path, b"kept")
    path.with_name(f"{path.name}.123{files.TEMPORARY}").write_bytes(b"half")

    files.remove_leftovers(path.parent)

    assert os.listdir(path.parent) == [path.name]


def test_appended_lines_stand_at_the_end_and_truncate_cuts_them(path: Path) -> None:
    files.append(path, b"one\n")
    files.append(path, b"two\n")
    files.truncate(path, 4)
    files.truncate(path, 1000)  # never grows a file
    files.truncate(path.with_name("missing"), 0)

    assert path.read_bytes() == b"one\n"
    assert os.listdir(path.parent) == [path.name]


def test_link_stays_a_link_and_its_target_is_replaced(path: Path) -> None:
    target = path.with_name("target")
    target.write_bytes(b"old")
    path.symlink_to(target)

    files.write(path, b"new")

    assert path.is_symlink()
    assert target.read_bytes() == b"new"


def test_pipe_is_written_to_and_stays_a_pipe(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    files.write(path, b"text")

    assert os.read(reader, 9) == b"text"
    assert stat.S_ISFIFO(path.stat().st_mode)
    os.close(reader)
