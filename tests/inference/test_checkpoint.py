"""Model files: a round trip keeps everything, and foreign files are refused."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as parse
from safetensors.numpy import save as serialize
from support.checkpoints import TEXT, rejected, some_model

from charrnn.errors import ModelFileError, NotFoundError, ResourceError
from charrnn.inference import checkpoint
from charrnn.inference.checkpoint import load, save
from charrnn.models import CELLS
from charrnn.storage import tensors as tensor_file
from charrnn.storage.tensors import read_tensors, write_tensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


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


def test_file_is_what_the_safetensors_library_reads_and_writes(path: Path) -> None:
    model = some_model()

    save(path, model)

    tensors = parse(path.read_bytes())
    for name, tensor in model.model.tensors().items():
        np.testing.assert_array_equal(tensors[name], tensor)
    path.write_bytes(serialize(tensors, metadata(path)))
    assert load(path).score("the tea") == model.score("the tea")


def test_header_too_large_to_read_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensor_file, "MAX_HEADER_BYTES", 100)

    with pytest.raises(ResourceError, match="header of .* the maximum is 100"):
        save(path, some_model())

    assert not path.exists()


def test_model_is_named_after_its_file_unless_a_name_is_given(path: Path) -> None:
    save(path, some_model())

    assert load(path).name == str(path)
    assert load(path, name="mine").name == "mine"


# --- foreign files


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


def test_text_given_as_a_model_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)

    with pytest.raises(ModelFileError, match="not a model file") as caught:
        load(tmp_path / "corpus.txt")

    assert "damaged" not in caught.value.message


def test_pickle_is_never_executed(path: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, (f"touch {tmp_path}/executed",)

    rejected(path, pickle.dumps(Bomb()))

    assert not (tmp_path / "executed").exists()


def test_foreign_safetensors_file_is_reported_as_such(path: Path) -> None:
    tensors = {"x": np.zeros(3, np.float32)}
    for data in (serialize(tensors), serialize(tensors, {"format": "pt"})):
        error = rejected(path, data)

        assert "is a safetensors file, but not a charrnn file" in error.message


def test_resume_file_is_not_a_model(path: Path) -> None:
    write_tensors(path, {"x": np.zeros(3)}, {}, kind="charrnn-resume")

    with pytest.raises(ModelFileError, match="not a charrnn file"):
        load(path)


def test_newer_version_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_file, "FORMAT_VERSION", 7)
    save(path, some_model())
    monkeypatch.undo()

    with pytest.raises(ModelFileError, match="version '7'.* reads version 1") as caught:
        load(path)

    assert "newer charrnn" in caught.value.hint


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
