"""The token store: a corpus as token ids, in plain files that are mapped into memory.

Written in blocks as documents come, so that memory stays flat, and read by training
through `Part`, whose arrays lie on the disk.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn.errors import ModelFileError, NotFoundError

LEAST_TARGETS: Final = {"train": 2, "valid": 1}

#: From so many documents on, whole documents validate and ends are learned.
MANY_DOCUMENTS: Final = 20

#: vocabularies above it are of words or subwords
LONG_TOKENS: Final = 1024

STORE_FILE: Final = "store.json"

SUFFIXES: Final = (".tokens", ".starts", ".lengths")

FORMAT: Final = 1

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Survey:
    """What a corpus holds, its validation texts included: counts of its documents.

    What stands between documents is not counted. words: separated by whitespace.
    sha256: of the documents and the mode, whatever files they came in.
    """

    bytes: int
    characters: int
    words: int
    documents: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """The training or validation part of a corpus, as tokens.

    tokens: (N,), laid out as B d1 B d2 B ... dn [B] with B the boundary: one closes
    a document and opens the next. A document that is cut has no closing boundary.
    starts: (D,), where each document's opening boundary is. lengths: (D,), the
    targets of each: its tokens, and its end if that is one. The inputs of a document
    are tokens[start : start + length], its targets those one place later.
    """

    tokens: npt.NDArray[np.unsignedinteger[Any]]
    starts: Positions
    lengths: Positions
    characters: int
    bytes: int
    words: int
    unknown: int

    @property
    def targets(self) -> int:
        """How many tokens there are to predict."""
        return int(self.lengths.sum())


@dataclass(frozen=True)
class TokenStore:
    """A corpus as tokens on the disk.

    learns_end: whether ends of documents are targets in validation too. With few
    documents they are not, so that validation equals scoring the text. In training
    the true end of a whole document always is. leaked: how many validation documents
    stand in the training part, too.
    """

    train: Part
    valid: Part
    vocab_size: int
    learns_end: bool
    leaked: int
    survey: Survey

    @property
    def has_long_tokens(self) -> bool:
        """Whether tokens are words or parts of them: some four characters each."""
        return self.vocab_size > LONG_TOKENS

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map a store that `Corpus.write_store` wrote.

        Raises NotFoundError, or ModelFileError if it is damaged.
        """
        try:
            values = json.loads((folder / STORE_FILE).read_bytes())
            if values.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            dtype = token_type(values["vocab_size"])
            for name in ("train", "valid"):
                values[name] = _open_part(folder / name, dtype, **values[name])
            return cls(**values | {"survey": Survey(**values["survey"])})
        except FileNotFoundError as error:
            raise NotFoundError(
                f"{error.filename} is missing", hint="train anew from the text: --new"
            ) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelFileError(
                f"the token store {folder} is damaged: {error}",
                hint="train anew from the text: --new",
            ) from error


def token_type(vocab_size: int) -> np.dtype[Any]:
    """Return the smallest unsigned integer that holds every id."""
    return np.min_scalar_type(vocab_size - 1).newbyteorder("<")


def _open_part(
    path: Path, dtype: np.dtype[Any], *, tokens: int, documents: int, **more: Any
) -> Part:
    for suffix, expected in more.pop("crc32", {}).items():  # the first stores had none
        _check(path.with_suffix(suffix), expected)
    return Part(
        _map(path.with_suffix(".tokens"), dtype, tokens),
        _map(path.with_suffix(".starts"), np.dtype("<i8"), documents),
        _map(path.with_suffix(".lengths"), np.dtype("<i8"), documents),
        **more,
    )


def _check(path: Path, expected: int) -> None:
    found = 0
    with path.open("rb") as file:  # read, as what is mapped would count as memory
        while block := file.read(1 << 20):
            found = zlib.crc32(block, found)
    if found != expected:
        raise ValueError(f"{path.name} does not match its checksum")


def _map(path: Path, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    if path.stat().st_size != count * dtype.itemsize:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes")
    if not count:
        return np.empty(0, dtype)  # an empty file cannot be mapped
    return np.asarray(np.memmap(path, dtype, "r", shape=(count,)))
