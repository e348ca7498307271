"""The token store: a corpus as token ids, in plain memory-mapped files.

A store is written block by block, so memory use does not grow with the corpus. Training
reads the store through `Part`, whose arrays stay on disk.
"""

import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn.errors import ModelFileError, NotFoundError
from charrnn.text.size import TextSize

#: With at least this many documents, validation uses whole ones and ends are learned.
MANY_DOCUMENTS: Final = 20

#: a vocabulary larger than this consists of words or subwords
LONG_TOKENS: Final = 1024

FORMAT: Final = 1
STORE_FILE: Final = "store.json"
SUFFIXES: Final = (".tokens", ".starts", ".lengths")
START_OVER: Final = "start over from the text with `new`"

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Survey:
    """The size of a corpus, with validation texts but without document separators.

    sha256: hash of the documents and their borders, independent of file names.
    """

    bytes: int
    characters: int
    words: int
    documents: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """The training or validation part of a corpus, as tokens.

    tokens: (N,), documents separated by boundaries B:  B d1 B d2 B ... dn [B]
    A truncated last document has no closing boundary.
    starts: (D,), the position of each document's opening boundary.
    lengths: (D,), targets per document: its tokens, plus its end if that is a target.
    A document's inputs are tokens[start : start + length]; its targets are the same
    slice shifted by one.
    source: for labelled data, the part of the inputs, with as many documents as this
    part of the outputs.
    """

    tokens: npt.NDArray[np.unsignedinteger[Any]]
    starts: Positions
    lengths: Positions
    characters: int
    bytes: int
    words: int
    unknown: int
    source: "Part | None" = None

    @property
    def targets(self) -> int:
        """Number of tokens to predict."""
        return int(self.lengths.sum())

    @property
    def work_tokens(self) -> int:
        """Number of targets, plus the number of input tokens of labelled data."""
        return self.targets + (self.source.targets if self.source else 0)

    @property
    def longest_example(self) -> int:
        """The most targets and input tokens in an example, 0 without labelled data."""
        if self.source is None:
            return 0
        return int((self.lengths + self.source.lengths).max(initial=0))

    @property
    def size(self) -> TextSize:
        """The size of the part's text."""
        return TextSize(self.characters, self.bytes, self.words)


@dataclass(frozen=True)
class TokenStore:
    """A corpus as tokens on disk.

    learns_end: whether the ends of documents are validation targets. With few documents
    they are not, so validating gives the same result as scoring the text. In training,
    the end of a complete document is always a target.
    leaked: number of validation documents that are also in the training part.
    source_size: the size of the vocabulary of the inputs of labelled data, else 0.
    """

    train: Part
    valid: Part
    vocab_size: int
    learns_end: bool
    leaked: int
    survey: Survey
    source_size: int = 0

    @property
    def has_long_tokens(self) -> bool:
        """Whether tokens are words or subwords, which average four characters."""
        return self.vocab_size > LONG_TOKENS

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map a store from `Corpus.write_store` into memory.

        Raises NotFoundError if it is missing, or ModelFileError if it is damaged.
        """
        try:
            values = json.loads((folder / STORE_FILE).read_bytes())
            if values.pop("format") != FORMAT:
                raise ValueError(f"the format is not {FORMAT}")
            sources = values.pop("sources", {})
            for name in ("train", "valid"):
                source = None
                if sources:
                    of_source = token_type(values["source_size"])
                    path = folder / f"{name}-source"
                    source = _open_part(path, of_source, **sources[name])
                of_part = token_type(values["vocab_size"])
                part = _open_part(folder / name, of_part, **values[name])
                values[name] = replace(part, source=source)
            return cls(**values | {"survey": Survey(**values["survey"])})
        except FileNotFoundError as error:
            why = f"{error.filename} is missing"
            raise NotFoundError(why, hint=START_OVER) from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            why = f"the token store {folder} is damaged: {error}"
            raise ModelFileError(why, hint=START_OVER) from error


def token_type(vocab_size: int) -> np.dtype[Any]:
    """Return the smallest unsigned integer type that holds every token id."""
    return np.min_scalar_type(vocab_size - 1).newbyteorder("<")


def _open_part(
    path: Path, dtype: np.dtype[Any], *, tokens: int, documents: int, **more: Any
) -> Part:
    for suffix, expected in more.pop("crc32", {}).items():  # absent in early stores
        _check(path.with_suffix(suffix), expected)
    return Part(
        _map(path.with_suffix(".tokens"), dtype, tokens),
        _map(path.with_suffix(".starts"), np.dtype("<i8"), documents),
        _map(path.with_suffix(".lengths"), np.dtype("<i8"), documents),
        **more,
    )


def _check(path: Path, expected: int) -> None:
    found = 0
    with path.open("rb") as file:  # not mapped, as mapped pages count as memory
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
