"""Model files: one .safetensors file with tensors, configuration and tokenizer.

The metadata of the file holds, as strings: `format` ("charrnn" or "charrnn-resume"),
`format_version`, `config` and `tokenizer` and `summary` (JSON), and `sha256`, the hash
of all the rest. A file is verified before anything in it is used, and nothing in it can
be executed: the worst a stranger's file can be is wrong.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as parse
from safetensors.numpy import save as serialize

from charrnn import files, models, tokenizers
from charrnn.errors import ModelFileError, NotFoundError, ResourceError
from charrnn.text_model import TextModel

FORMAT = "charrnn"
FORMAT_VERSION = 1
MAX_HEADER_BYTES = 64 << 20  # a subword tokenizer of 32,000 pieces takes 1 MB

Tensors = Mapping[str, npt.NDArray[Any]]


def save(path: Path, model: TextModel) -> None:
    """Publish a model file. Raises ResourceError if it cannot be written."""
    meta = {
        "config": model.model.config_json() | {"family": model.model.family},
        "tokenizer": model.tokenizer.to_json(),
        "summary": model.summary,
    }
    write_tensors(path, model.model.tensors(), meta)


def load(path: Path, *, name: str = "") -> TextModel:
    """Read, verify and rebuild a model.

    Raises NotFoundError if there is no file, ModelFileError if it is damaged,
    foreign, or of a newer version.
    """
    tensors, meta = read_tensors(path)
    try:
        config = dict(meta["config"])
        model = models.build(config.pop("family"), config, tensors)
        tokenizer = tokenizers.from_json(dict(meta["tokenizer"]))
        summary = dict(meta["summary"])
        return TextModel(model, tokenizer, summary=summary, name=name or str(path))
    except (KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(
            f"{path} does not describe a model: {why}",
            hint="copy it again, or train it again",
        ) from error


def write_tensors(
    path: Path, tensors: Tensors, meta: Mapping[str, Any], *, kind: str = FORMAT
) -> None:
    """Publish tensors and JSON values as one file with its hash."""
    header = {name: json.dumps(value) for name, value in meta.items()}
    header |= {"format": kind, "format_version": str(FORMAT_VERSION)}
    # not ascontiguousarray, which makes a number an array of one number
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    header["sha256"] = _content_hash(arrays, header)
    files.write(path, _in_order(serialize(arrays, header)))


def read_tensors(
    path: Path, *, kind: str = FORMAT
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Read and verify what `write_tensors` wrote. Errors as in `load`."""
    data = _read(path)
    header = _header(path, data)
    if header.get("format") != kind:
        raise ModelFileError(
            f"{path} is a safetensors file, but not a {kind} file",
            hint="name a model that `charrnn train` wrote",
        )
    version = header.get("format_version", "")
    if version != str(FORMAT_VERSION):
        raise ModelFileError(
            f"{path} has format version {version!r}; this program reads "
            f"{FORMAT_VERSION}",
            hint="install a newer charrnn",
        )
    try:
        tensors = parse(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, str(error)) from error
    if header.pop("sha256", None) != _content_hash(tensors, header):
        raise _damaged(path, "its content does not match its SHA-256")
    plain = {"format", "format_version"}
    try:
        meta = {k: json.loads(v) for k, v in header.items() if k not in plain}
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its metadata is not JSON") from error
    return tensors, meta


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its header sorted: equal content, equal bytes.

    The library writes the metadata in a random order.
    """
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    ordered = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    ordered += b" " * (-len(ordered) % 8)  # tensors begin at a multiple of 8
    return len(ordered).to_bytes(8, "little") + ordered + data[8 + size :]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(
            f"there is no {path}", hint="charrnn runs lists the models there are"
        ) from error
    except OSError as error:
        raise ResourceError(f"cannot read {path}: {error.strerror}") from error


def _header(path: Path, data: bytes) -> dict[str, str]:
    """Return the string metadata of a safetensors file, checked for its form.

    The format: 8 bytes of little-endian length, then that much JSON.
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or data[8:9] != b"{" or size > MAX_HEADER_BYTES:
        raise ModelFileError(
            f"{path} is not a model file",
            hint="a model is a .safetensors file that `charrnn train` wrote",
        )
    if size > len(data) - 8:
        raise _damaged(path, f"it ends after {len(data):,} bytes, inside its header")
    try:
        meta = json.loads(data[8 : 8 + size]).get("__metadata__", {})
    except (ValueError, RecursionError, AttributeError) as error:
        raise _damaged(path, "its header is not JSON") from error
    if not isinstance(meta, dict):
        raise _damaged(path, "its metadata is not a table")
    return {str(key): str(value) for key, value in meta.items()}


def _content_hash(tensors: Tensors, header: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _damaged(path: Path, why: str) -> ModelFileError:
    hint = "copy it again from where it came, or use another model of `charrnn runs`"
    return ModelFileError(f"{path} is damaged: {why}", hint=hint)
