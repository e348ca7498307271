"""Model files: damaged and hostile ones are refused."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.checkpoints import TEXT, rejected, some_model
from support.models import random_text_model

from charrnn.errors import ModelFileError
from charrnn.inference.checkpoint import load, save
from charrnn.storage.tensors import write_tensors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


# --- damage


def test_every_damaged_byte_is_detected(path: Path) -> None:
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


def test_every_truncation_is_detected(path: Path) -> None:
    save(path, some_model())

    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(ModelFileError, match=path.name):
            load(path)


def test_added_zeroed_and_swapped_bytes_are_detected(path: Path) -> None:
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


def test_tensors_of_another_model_are_detected(path: Path) -> None:
    header = {}
    for seed in (0, 1):
        save(path, random_text_model([TEXT], seed=seed, hidden=3, embed=2))
        data = path.read_bytes()
        size = 8 + int.from_bytes(data[:8], "little")
        header[seed] = data[:size], data[size:]

    error = rejected(path, header[0][0] + header[1][1])

    assert "SHA-256" in error.message


# --- hostile: valid hash, wrong content


def hostile(path: Path, **changes: Any) -> ModelFileError:
    """Return the error from an intact file with changed metadata."""
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


def test_tensors_of_unsupported_types_are_refused(path: Path) -> None:
    for kind in ("BF16", "F8_E5M2"):
        size = 2 if kind == "BF16" else 1
        table = {
            "__metadata__": {"format": "charrnn", "format_version": "1"},
            "x": {"dtype": kind, "shape": [1], "data_offsets": [0, size]},
        }
        header = json.dumps(table).encode()

        rejected(path, len(header).to_bytes(8, "little") + header + bytes(size))


def test_metadata_that_is_not_json_is_refused_even_with_a_valid_hash(
    path: Path,
) -> None:
    strings = {"format": "charrnn", "format_version": "1", "config": "{"}
    content = json.dumps(strings, sort_keys=True).encode()
    strings["sha256"] = hashlib.sha256(content).hexdigest()
    header = json.dumps({"__metadata__": strings}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)

    with pytest.raises(ModelFileError, match="its metadata is not JSON"):
        load(path)
