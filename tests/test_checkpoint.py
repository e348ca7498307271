"""Model files: what is saved comes back, and nothing that is damaged is accepted."""

import errno
import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models_for_tests import random_text_model
from safetensors.numpy import save as serialize

from charrnn import checkpoint, files
from charrnn.checkpoint import load, read_tensors, save, write_tensors
from charrnn.config import CELLS
from charrnn.errors import ModelFileError, NotFoundError, ResourceError
from charrnn.text_model import TextModel

TEXT = "the cat\n"


def some_model(**shape: Any) -> TextModel:
    model = random_text_model(
        [TEXT], **{"hidden": 3, "embed": 2, "cell": "gru"} | shape
    )
    model.summary = {"learned_end": False, "steps": 7, "best": {"nats": 1.25}}
    return model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def rejected(path: Path, data: bytes) -> ModelFileError:
    """Return the error of loading a file with this content."""
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    return caught.value


def metadata(path: Path) -> dict[str, str]:
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header["__metadata__"]


# --- round trip


@pytest.mark.parametrize("cell", CELLS)
def test_loaded_model_has_the_same_tensors_summary_and_scores(
    cell: str, path: Path
) -> None:
    model = some_model(cell=cell, layers=2, learned_state=True)

    save(path, model)
    loaded = load(path)

    assert loaded.summary == model.summary
    assert loaded.model.config_json() == model.model.config_json()
    assert loaded.tokenizer.to_json() == model.tokenizer.to_json()
    for name, tensor in model.model.tensors().items():
        np.testing.assert_array_equal(loaded.model.tensors()[name], tensor)
    assert loaded.score("the tea") == model.score("the tea")


@pytest.mark.parametrize("level", ["char", "byte", "word"])
def test_loaded_model_writes_the_same_text(level: str, path: Path) -> None:
    model = some_model(level=level)

    save(path, model)

    ours = [sample.text for sample in load(path).sample("the", num=3, seed=1)]
    assert ours == [sample.text for sample in model.sample("the", num=3, seed=1)]


def test_saving_a_loaded_model_gives_the_same_hash(path: Path, tmp_path: Path) -> None:
    save(path, some_model())

    save(tmp_path / "again", load(path))

    hashes = {metadata(file)["sha256"] for file in (path, tmp_path / "again")}
    assert len(hashes) == 1


def test_tensors_of_any_shape_type_and_order_come_back(path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "number": np.array(3.5),
        "none": np.zeros((0, 4), np.float32),
        "columns": np.asfortranarray(rng.normal(size=(3, 5))),
        "every second": rng.normal(size=10)[::2],
        "whole": np.array([2**62, -1]),
        "bytes": np.arange(256, dtype=np.uint8),
        "yes": np.array([True, False]),
    }
    meta = {"step": 3, "nested": {"é": [1, None, '\ud800 \\ "']}}

    write_tensors(path, tensors, meta, kind="charrnn-resume")
    loaded, values = read_tensors(path, kind="charrnn-resume")

    assert values == meta
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert loaded[name].shape == tensor.shape
        np.testing.assert_array_equal(loaded[name], tensor)


def test_model_is_named_after_its_file_or_as_asked(path: Path) -> None:
    save(path, some_model())

    assert load(path).name == str(path)
    assert load(path, name="mine").name == "mine"


# --- damage


def test_every_damaged_byte_is_noticed(path: Path) -> None:
    save(path, some_model())
    data = path.read_bytes()

    with path.open("r+b", buffering=0) as file:
        for at, byte in enumerate(data):
            flip = 0xFF if at % 9 == 8 else 1 << at % 9
            os.pwrite(file.fileno(), bytes([byte ^ flip]), at)
            with pytest.raises(ModelFileError, match=path.name):
                load(path)
            os.pwrite(file.fileno(), bytes([byte]), at)

    load(path)


def test_every_truncation_is_noticed(path: Path) -> None:
    save(path, some_model())

    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(ModelFileError, match=path.name):
            load(path)


def test_bytes_that_are_added_or_zeroed_or_swapped_are_noticed(path: Path) -> None:
    save(path, some_model())
    data = path.read_bytes()
    middle = len(data) - 200

    for changed in (
        data + b"\0",
        data + data,
        data[:middle] + bytes(64) + data[middle + 64 :],
        data[:middle] + data[middle + 4 : middle + 8] + data[middle : middle + 4]
        + data[middle + 8 :],
    ):  # fmt: skip
        assert changed != data
        rejected(path, changed)


def test_tensors_of_another_model_are_noticed(path: Path) -> None:
    header = {}
    for seed in (0, 1):
        save(path, random_text_model([TEXT], seed=seed, hidden=3, embed=2))
        data = path.read_bytes()
        size = 8 + int.from_bytes(data[:8], "little")
        header[seed] = data[:size], data[size:]

    error = rejected(path, header[0][0] + header[1][1])

    assert "SHA-256" in error.message


# --- not one of ours


def test_missing_file_is_not_found(path: Path) -> None:
    with pytest.raises(NotFoundError, match=path.name):
        load(path)


def test_file_that_cannot_be_read_is_a_resource_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"PK\x03\x04" + bytes(100),
        pickle.dumps({"weights": [1.0, 2.0]}),
        TEXT.encode() * 10,
        b"\xff" * 100,
        (2).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (4).to_bytes(8, "little") + b'{"a"',
        (200_000).to_bytes(8, "little") + b'{"a":' * 40_000,
        (2**63).to_bytes(8, "little") + b"{}",
    ],
    ids=["empty", "one byte", "zip", "pickle", "text", "ff", "no metadata", "list",
         "half", "deep", "huge"],
)  # fmt: skip
def test_foreign_files_are_model_file_errors(data: bytes, path: Path) -> None:
    rejected(path, data)


def test_pickle_is_never_executed(path: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, (f"touch {tmp_path}/executed",)

    rejected(path, pickle.dumps(Bomb()))

    assert not (tmp_path / "executed").exists()


def test_foreign_safetensors_file_is_said_to_be_one(path: Path) -> None:
    tensors = {"x": np.zeros(3, np.float32)}
    for data in (serialize(tensors), serialize(tensors, {"format": "pt"})):
        error = rejected(path, data)

        assert "is a safetensors file, but not a charrnn file" in error.message


def test_resume_file_is_not_a_model(path: Path) -> None:
    write_tensors(path, {"x": np.zeros(3)}, {}, kind="charrnn-resume")

    with pytest.raises(ModelFileError, match="not a charrnn file"):
        load(path)


def test_newer_version_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "FORMAT_VERSION", 7)
    save(path, some_model())
    monkeypatch.undo()

    with pytest.raises(ModelFileError, match="version '7'.* reads 1") as caught:
        load(path)

    assert "newer charrnn" in caught.value.hint


# --- hostile: the hash is right, but what it says is not


def hostile(path: Path, **changes: Any) -> ModelFileError:
    """Return the error of a file that is whole, with other metadata."""
    model = some_model()
    meta = {
        "config": model.model.config_json() | {"family": "recurrent"},
        "tokenizer": model.tokenizer.to_json(),
        "summary": {},
    } | changes
    write_tensors(path, model.model.tensors(), meta)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert str(path) in caught.value.message
    return caught.value


CONFIG = some_model().model.config_json() | {"family": "recurrent"}


@pytest.mark.parametrize(
    "config",
    [
        None, 3, "gru", [], {}, [[1, 2, 3]],
        CONFIG | {"family": "os:system"},
        CONFIG | {"family": ["recurrent"]},
        CONFIG | {"family": None},
        CONFIG | {"layers": 0},
        CONFIG | {"layers": 10**15},
        CONFIG | {"hidden": 2**60},
        CONFIG | {"cell": "no"},
        CONFIG | {"vocab_size": "many"},
        CONFIG | {"norm": 1},
        CONFIG | {"import": "os"},
    ],
    ids=str,
)  # fmt: skip
def test_hostile_configuration_is_a_model_file_error(config: Any, path: Path) -> None:
    hostile(path, config=config)


@pytest.mark.parametrize(
    "tokenizer",
    [
        None, 3, "char", [], {}, [1], [[1, 2]],
        {"level": "oracle"},
        {"level": ["char"]},
        {"level": "char"},
        {"level": "word"},
        {"level": "subword"},
        {"level": "byte"},  # another vocabulary size
    ],
    ids=str,
)  # fmt: skip
def test_hostile_tokenizer_is_a_model_file_error(tokenizer: Any, path: Path) -> None:
    hostile(path, tokenizer=tokenizer)


@pytest.mark.parametrize("summary", [None, 3, "ab", [1]], ids=str)
def test_hostile_summary_is_a_model_file_error(summary: Any, path: Path) -> None:
    hostile(path, summary=summary)


def test_metadata_that_is_not_json_is_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("{", "[" * 100_000, "nan?"):
        with monkeypatch.context() as patch:
            patch.setattr(json, "dumps", lambda *_, t=text, **__: t)
            write_tensors(path, {"x": np.zeros(1)}, {"config": {}})
            with pytest.raises(ModelFileError):
                load(path)


def test_tensors_that_are_not_numbers_we_know_are_refused(path: Path) -> None:
    for kind in ("BF16", "F8_E5M2"):
        size = 2 if kind == "BF16" else 1
        table = {
            "__metadata__": {"format": "charrnn", "format_version": "1"},
            "x": {"dtype": kind, "shape": [1], "data_offsets": [0, size]},
        }
        header = json.dumps(table).encode()

        rejected(path, len(header).to_bytes(8, "little") + header + bytes(size))


# --- how a file is written


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


def test_loading_imports_no_torch(path: Path) -> None:
    save(path, some_model())
    code = f"import sys, charrnn; m = charrnn.load({str(path)!r}); m.score('the')\n"
    code += "list(m.stream(seed=1)); sys.exit('torch' in sys.modules)"

    finished = subprocess.run([sys.executable, "-c", code], check=False)

    assert finished.returncode == 0


def test_two_files_of_one_model_are_equal_byte_for_byte(tmp_path: Path) -> None:
    model = some_model()

    for name in ("a", "b"):
        checkpoint.save(tmp_path / name, model)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
