"""Writing files: all or nothing, and no leftovers."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from support.checkpoints import some_model
from support.disk import CODES, FailingSystem, System, calling

from charrnn.errors import ResourceError
from charrnn.inference.checkpoint import save
from charrnn.storage import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_failed_save_leaves_the_old_file_and_nothing_else(
    code: int, path: Path
) -> None:
    save(path, some_model())
    before = path.read_bytes()
    with calling(system := FailingSystem()):
        save(path, some_model())
    *_, last = every = range(1, system.operations + 1)

    for operation in every:
        with (
            calling(FailingSystem(operation, code)),
            pytest.raises(ResourceError, match=os.strerror(code)),
        ):
            save(path, some_model(hidden=4))

        # only flushing the folder comes after the rename
        assert (path.read_bytes() == before) == (operation < last - 1)
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


def test_leftovers_of_dead_writers_are_removed(path: Path) -> None:
    files.write(path, b"kept")
    path.with_name(f"{path.name}.123{files.TEMPORARY}").write_bytes(b"half")
    theirs = path.with_name(f"thesis{files.TEMPORARY}")
    theirs.write_bytes(b"precious")

    files.remove_leftovers(path.parent)

    assert {*path.parent.iterdir()} == {path, theirs}


def test_appended_line_replaces_the_rest_of_the_file(path: Path) -> None:
    files.append(path, b"one\n", at=0)
    files.append(path, b"two, and a long end", at=4)
    files.append(path, b"2\n", at=4)

    assert path.read_bytes() == b"one\n2\n"
    assert os.listdir(path.parent) == [path.name]


def test_replaced_file_can_be_kept(path: Path) -> None:
    kept = path.with_name("kept")
    for content in (b"one", b"two", b"three"):
        with files.writing(path, keep=kept) as out:
            out.write(content)

    assert (path.read_bytes(), kept.read_bytes()) == (b"three", b"two")


def test_folder_made_by_another_process_at_the_same_time_is_not_an_error(
    tmp_path: Path,
) -> None:
    class Racing(System):
        def operate(self, name: str, call: Any, *given: Any) -> Any:
            if name == "mkdir":
                call(*given)
            return call(*given)

    with calling(Racing()):
        files.make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_leftover_that_cannot_be_removed_is_ignored(path: Path) -> None:
    left = path.with_name(f"x.123{files.TEMPORARY}")
    left.write_bytes(b"half")

    with calling(
        FailingSystem(2, errno.EACCES)
    ):  # the first operation lists the folder
        files.remove_leftovers(path.parent)
    files.remove_leftovers(path.with_name("missing"))

    assert left.exists()


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
