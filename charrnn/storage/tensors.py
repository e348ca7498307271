"""Files of tensors and JSON values, verified before any content is used.

The format is .safetensors: 8 bytes of little-endian header length, a JSON header, and
the tensors end to end. The header's metadata consists of strings: `format` ("charrnn"
or "charrnn-resume"), `format_version`, the given values as JSON, and `sha256`, the hash
of everything else. Nothing in a file can be executed; a malicious file can only contain
wrong values.

The safetensors library is not used, because its `save` builds the whole file in memory,
its `load(bytes)` returns read-only arrays, and it accepts headers of up to 100 MB.
Here, the header is checked before memory is allocated, and no tensor is copied. Tests
compare these files to the library's.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from charrnn.errors import ModelFileError, NotFoundError, ResourceError
from charrnn.storage import files

FORMAT: Final = "charrnn"
RESUME_FORMAT: Final = "charrnn-resume"
FORMAT_VERSION = 1
MAX_HEADER_BYTES = 32 << 20  # a char tokenizer for all of Unicode needs 20 MB
MAX_BRACKETS: Final = 1 << 16  # { and [ in a header; each tensor has three
MAX_COMMAS: Final = 1 << 21  # each vocabulary entry has one
MAX_DIMENSIONS: Final = 8
MAX_DIMENSION: Final = 1 << 48
COPY_AGAIN: Final = (
    "copy it again, or use another model: `charrnn runs verify` lists intact ones"
)

#: NumPy types by safetensors name, in the order of the tensors in a file
TYPES: Final = {
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "F32": "<f4",
    "U32": "<u4",
    "I32": "<i4",
    "F16": "<f2",
    "U16": "<u2",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}

Array = npt.NDArray[Any]
Tensors = Mapping[str, Array]


def write_tensors(
    path: Path,
    tensors: Tensors,
    meta: Mapping[str, Any],
    *,
    kind: str = FORMAT,
    keep: Path | None = None,
) -> None:
    """Write tensors and JSON values atomically to one file. Raises ResourceError.

    keep: a path that the replaced file is moved to.
    """
    arrays, header = _laid_out(tensors, meta, kind)
    if len(header) > MAX_HEADER_BYTES:
        raise ResourceError(
            f"{path} would have a header of {len(header):,} bytes; the maximum is"
            f" {MAX_HEADER_BYTES:,}",
            hint="choose a smaller vocabulary with `vocab_size`",
        )
    with files.writing(path, keep=keep) as out:
        out.write(len(header).to_bytes(8, "little") + header)
        for array in arrays:
            out.write(_bytes_of(array))


def size_bytes(tensors: Tensors, meta: Mapping[str, Any]) -> int:
    """Return the size of the file that `write_tensors` would write."""
    arrays, header = _laid_out(tensors, meta, FORMAT)
    return 8 + len(header) + sum(array.nbytes for array in arrays)


def _laid_out(
    tensors: Tensors, meta: Mapping[str, Any], kind: str
) -> tuple[list[Array], bytes]:
    """Return the arrays in file order, and the header."""
    strings = {name: json.dumps(value) for name, value in meta.items()}
    strings |= {"format": kind, "format_version": str(FORMAT_VERSION)}
    # not ascontiguousarray, which turns a scalar into a one-element array
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    strings["sha256"] = _content_hash(arrays, strings)
    table: dict[str, Any] = {"__metadata__": strings}
    types = {code: (rank, name) for rank, (name, code) in enumerate(TYPES.items())}
    order = sorted(arrays, key=lambda name: (types[arrays[name].dtype.str], name))
    at = 0
    for name in order:
        (_, dtype), shape = types[arrays[name].dtype.str], list(arrays[name].shape)
        end = at + arrays[name].nbytes
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    header = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # tensors start at a multiple of 8
    return [arrays[name] for name in order], header


def read_tensors(
    path: Path, *, kind: str = FORMAT
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read and verify a file from `write_tensors`; return its tensors and values.

    Raises NotFoundError if it does not exist, ResourceError if it cannot be read, and
    ModelFileError if it is damaged, in another format, or from a newer version.
    """
    with _reading(path) as file:
        size = os.fstat(file.fileno()).st_size
        table = _read_table(path, file, size)
        strings = _pop_metadata(path, table, kind)
        room = size - file.tell()
        try:
            places = _places(table, room)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _damaged(path, "its tensors do not match its header") from error
        # a bytearray, because callers may write to the tensors
        data = bytearray(room)
        file.readinto(data)  # type: ignore[attr-defined]
    tensors = {
        name: np.ndarray(shape, dtype, data, at)
        for name, (dtype, shape, at) in places.items()
    }
    if strings.pop("sha256", None) != _content_hash(tensors, strings):
        raise _damaged(path, "its content does not match its SHA-256")
    plain = {"format", "format_version"}
    try:
        meta = {k: json.loads(v) for k, v in strings.items() if k not in plain}
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its metadata is not JSON") from error
    return tensors, meta


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    try:
        if path.exists() and not path.is_file():  # a pipe might never end
            raise ResourceError(f"{path} is a directory, pipe or device, not a file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        hint = "`charrnn runs` lists the models"
        raise NotFoundError(f"{path} does not exist", hint=hint) from error
    except OSError as error:
        raise ResourceError(f"cannot read {path}: {error.strerror}") from error


def _read_table(path: Path, file: BinaryIO, file_bytes: int) -> dict[str, Any]:
    """Read the header of a safetensors file: an entry per tensor, and __metadata__."""
    start = file.read(8)
    size = int.from_bytes(start, "little")
    # limited to the file size, because read() allocates all its memory first
    header = file.read(min(size, file_bytes)) if size <= MAX_HEADER_BYTES else b""
    if header[:1] != b"{":
        raise ModelFileError(
            f"{path} is not a model file",
            hint="a model is a .safetensors file from `charrnn train`",
        )
    if len(header) < size:
        raise _damaged(path, f"it ends after {file_bytes:,} bytes, inside its header")
    brackets = header.count(b"{") + header.count(b"[")
    if brackets > MAX_BRACKETS or header.count(b",") > MAX_COMMAS:
        raise _damaged(path, "its header has more entries than any model needs")
    try:
        table: dict[str, Any] = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is not JSON") from error
    return table


def _pop_metadata(path: Path, table: dict[str, Any], kind: str) -> dict[str, str]:
    """Remove the metadata from a header; return it if the format is supported."""
    strings = table.pop("__metadata__", {})
    if not isinstance(strings, dict) or not all(
        isinstance(value, str) for value in strings.values()
    ):
        raise _damaged(path, "its metadata is not a table of strings")
    if strings.get("format") != kind:
        raise ModelFileError(
            f"{path} is a safetensors file, but not a {kind} file",
            hint="use a model from `charrnn train`",
        )
    version = strings.get("format_version", "")
    if version != str(FORMAT_VERSION):
        raise ModelFileError(
            f"{path} has format version {version!r}; this program reads "
            f"version {FORMAT_VERSION}",
            hint="install a newer charrnn",
        )
    return strings


def _places(
    table: Mapping[str, Any], room: int
) -> dict[str, tuple[np.dtype[Any], tuple[int, ...], int]]:
    """Return the type, shape and offset of each tensor.

    Raises ValueError, KeyError, TypeError or RecursionError unless the tensors fill
    `room` bytes exactly, without gaps.
    """
    places = {}
    at = 0
    for name, entry in sorted(table.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape = np.dtype(TYPES[entry["dtype"]]), tuple(entry["shape"])
        if len(shape) > MAX_DIMENSIONS or not all(
            type(length) is int and 0 <= length < MAX_DIMENSION for length in shape
        ):
            raise ValueError("there are too many dimensions, or one is too large")
        places[name] = dtype, shape, at
        end = at + math.prod(shape) * dtype.itemsize
        if entry["data_offsets"] != [at, end]:
            raise ValueError(f"the tensor is not in the range {at} to {end}")
        at = end
    if at != room:
        raise ValueError(f"the tensors fill {at} bytes, not {room}")
    return places


def _content_hash(tensors: Tensors, strings: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(strings, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(_bytes_of(array))
    return digest.hexdigest()


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _damaged(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {why}", hint=COPY_AGAIN)
