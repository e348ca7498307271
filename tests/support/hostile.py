"""Hostile model files, made by code: one row each, by name."""

import gzip
import io
import json
import marshal
import os
import pickle
import socket
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.storage.tensors import write_tensors
from support.checkpoints import some_model


class Bomb:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch executed",)


def pickled(protocol: int) -> bytes:
    return pickle.dumps({"weights": Bomb()}, protocol)


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def tarred(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def numpy_objects() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Bomb()], object), allow_pickle=True)
    return out.getvalue()


def headed(header: bytes, data: bytes = b"", *, size: int | None = None) -> bytes:
    """Return a safetensors file, whatever its header says."""
    length = len(header) if size is None else size
    return length.to_bytes(8, "little") + header + data


def with_entry(
    shape: Any = (1,), offsets: Any = (0, 4), dtype: Any = "F32", name: str = "x"
) -> bytes:
    """Return a file of one tensor of 4 bytes, and of what is said of it."""
    strings = {"format": "charrnn", "format_version": "1", "sha256": "0" * 64}
    entry = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    return headed(json.dumps({"__metadata__": strings, name: entry}).encode(), bytes(4))


def many_tensors(count: int) -> bytes:
    entry = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    strings = {"format": "charrnn", "format_version": "1"}
    table = {str(k): entry for k in range(count)} | {"__metadata__": strings}
    return headed(json.dumps(table).encode())


BYTES: dict[str, bytes | Callable[[], bytes]] = {
    **{f"pickle {k}": lambda k=k: pickled(k) for k in range(6)},  # type: ignore[misc]
    "zip of a pickle": lambda: zipped("archive/data.pkl", pickled(2)),
    "zip that leaves its folder": zipped("../../evil", b"x"),
    "tar that leaves its folder": tarred("../../evil"),
    "numpy objects": numpy_objects,
    "gzip": gzip.compress(b"{}" * 1000),
    "marshalled code": marshal.dumps(compile("1", "", "eval")),
    "python": b"import os\nos.system('touch executed')\n",
    "script": b"#!/bin/sh\ntouch executed\n",
    "program": b"\x7fELF" + bytes(1000),
    "shape 2^60": with_entry([2**60]),
    "shape that overflows to 4 bytes": with_entry([2**32, 2**32 + 1]),
    "shape of nothing and 2^60": with_entry([0, 2**60], [0, 0]),
    "shape of 400 digits": with_entry([10**400]),
    "shape of 5,000 digits": headed(b'{"x":{"shape":[' + b"9" * 5000 + b"]}}"),
    "negative shape": with_entry([-1, -1]),
    "shape of floats": with_entry([1.0]),
    "shape of truth": with_entry([True]),
    "shape of text": with_entry("1"),
    "shape of shapes": with_entry([[1]]),
    "100 dimensions": with_entry([1] * 100),
    "a million dimensions": with_entry([2**40] * 1_000_000),
    "offsets beyond the end": with_entry([2**40], [0, 2**42]),
    "offsets below 0": with_entry([1], [-4, 0]),
    "offsets with a hole": with_entry([1], [4, 8]),
    "offsets backwards": with_entry([1], [4, 0]),
    "offsets of infinity": with_entry([1], [0, float("inf")]),
    "offsets of nothing": with_entry([1], []),
    "offsets nested deep": with_entry([1], json.loads("[" * 300 + "]" * 300)),
    "type of objects": with_entry(dtype="O"),
    "type that NumPy would parse": with_entry(dtype="f4,f4"),
    "type that is a list": with_entry(dtype=[["a", "<f4"]]),
    "name that leaves its folder": with_entry(name="../../../../etc/passwd"),
    "name with controls": with_entry(name="\x1b[2J\0\n\n\n\n\n\n\n"),
    "name of a megabyte": with_entry(name="x" * (1 << 20)),
    "header of 2^63 bytes": headed(b"{}", size=2**63),
    "header of 30 MB that isn't there": headed(b"{}", size=30_000_000),
    "header of spaces": headed(b"{" + b" " * 20_000_000 + b"}"),
    "header too long": lambda: headed(b"{" + b" " * 40_000_000 + b"}"),
    "deep lists": headed(b'{"x":' * 100_000),
    "deep tables": headed(b'{"a":' * 60_000 + b"1" + b"}" * 60_000),
    "many lists": lambda: headed(b'{"x":[' + b"[]," * 5_000_000 + b"[]]}"),
    "many numbers": lambda: headed(b'{"x":[' + b"10," * 5_000_000 + b"1]}"),
    "100,000 tensors": lambda: many_tensors(100_000),
    "20,000 tensors": lambda: many_tensors(20_000),
    "header that is not UTF-8": headed(b'{"\xff":1}'),
    "metadata that is a list": headed(b'{"__metadata__":[1]}'),
    "metadata of numbers": headed(b'{"__metadata__":{"format":1}}'),
    "tensor that is a number": headed(
        b'{"__metadata__":{"format":"charrnn","format_version":"1"},"x":1}'
    ),
}  # fmt: skip

MODEL = some_model()
CONFIG = MODEL.model.config_json() | {"family": "recurrent"}
MIXTURE = {"family": "mixture", "weights": [1.0], "members": [CONFIG]}

#: metadata of a file that is whole: its hash is right, but what it says is not
WHOLE: dict[str, dict[str, Any]] = {
    "family that is a module": {"config": CONFIG | {"family": "os:system"}},
    "family that is a path": {"config": CONFIG | {"family": "../../evil"}},
    "layers without end": {"config": CONFIG | {"layers": 10**15}},
    "2^60 units": {"config": CONFIG | {"hidden": 2**60}},
    "2^60 tokens": {"config": CONFIG | {"vocab_size": 2**60}},
    "n-grams of a billion": {
        "config": {"family": "ngram", "vocab_size": 9, "order": 10**9}
    },
    "a million members": {"config": MIXTURE | {"members": [CONFIG] * 20_000}},
    "mixture in itself": {"config": MIXTURE | {"members": [MIXTURE]}},
    "member that is a module": {
        "config": MIXTURE | {"members": [CONFIG | {"family": "os:system"}]}
    },
    "level that is a module": {"tokenizer": {"level": "os:system"}},
    "characters without end": {
        "tokenizer": {"level": "char", "characters": ["a"] * 500_000}
    },
    "subwords of noise": {"tokenizer": {"level": "subword", "model": "AAAA" * 1000}},
    "subwords of a path": {"tokenizer": {"level": "subword", "model": "/etc/passwd"}},
    "summary that is a list": {"summary": [1]},
}


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)  # a path may be too long


#: what is no file at all
PLACES: dict[str, Callable[[Path], None]] = {
    "link to a text": link_to("/etc/passwd"),
    "link to itself": lambda path: path.symlink_to(path),
    "link to zeros without end": link_to("/dev/zero"),
    "link to noise without end": link_to("/dev/urandom"),
    "pipe that nobody writes to": os.mkfifo,
    "folder": Path.mkdir,
    "socket": bind,
}

ROWS = (*BYTES, *WHOLE, *PLACES)


def make(row: str, path: Path) -> None:
    """Write the hostile file of a row."""
    if row in PLACES:
        PLACES[row](path)
    elif row in WHOLE:
        write_whole(path, WHOLE[row])
    else:
        data = BYTES[row]
        path.write_bytes(data if isinstance(data, bytes) else data())


def write_whole(path: Path, changes: Mapping[str, Any]) -> None:
    """Write a model with other metadata, and the hash of that."""
    meta = {"config": CONFIG, "tokenizer": MODEL.tokenizer.to_json(), "summary": {}}
    write_tensors(path, MODEL.model.tensors(), {**meta, **changes})
