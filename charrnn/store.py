"""The token store: a corpus as token ids, in plain files that are mapped into memory.

Written in blocks as documents come, so that memory stays flat, and read by training
through `Part`, whose arrays lie on the disk.
"""

import hashlib
import json
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn import files
from charrnn.errors import ModelFileError, NotFoundError, TextError
from charrnn.tokenizers.base import BOUNDARY, Tokenizer
from charrnn.tokenizers.points import code_points

LEAST_TARGETS: Final = {"train": 2, "valid": 1}
#: From so many documents on, whole documents validate and ends are learned.
MANY_DOCUMENTS: Final = 20
#: vocabularies above it are of words or subwords
LONG_TOKENS: Final = 1024
STORE_FILE: Final = "store.json"
SUFFIXES: Final = (".tokens", ".starts", ".lengths")
FORMAT: Final = 1

Positions = npt.NDArray[np.int64]
IS_SPACE: Final = np.array([chr(code).isspace() for code in range(0x3002)])


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
            dtype = _token_type(values["vocab_size"])
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


class Tally:
    """Counts documents that come in blocks."""

    def __init__(self) -> None:
        self.bytes = self.characters = self.words = self.documents = 0
        self._in_word = False

    def add(self, texts: list[str], is_open: bool) -> bytes:
        """Count the next block of documents; return it, each closed by a line end."""
        closed = len(texts) - is_open
        joined = "\n".join(texts if is_open else [*texts, ""])
        data = joined.encode("utf-8", "surrogateescape")
        self.bytes += len(data) - closed
        self.characters += len(joined) - closed
        self.documents += closed
        self._count_words(joined)
        return data

    def _count_words(self, text: str) -> None:
        # by table: four times as fast as len(text.split()), 450 against 110 MB/s
        is_space = IS_SPACE.take(code_points(text), mode="clip")
        self.words += int(np.count_nonzero(is_space[:-1] > is_space[1:]))
        self.words += not (self._in_word or is_space[0])
        self._in_word = not is_space[-1]


class Fingerprint(Tally):
    """Counts documents and hashes them."""

    def __init__(self) -> None:
        super().__init__()
        self._open_characters = 0
        self._hash = hashlib.sha256()
        self._lengths_hash = hashlib.sha256()

    def add(self, texts: list[str], is_open: bool) -> bytes:
        """Count and hash the next block; return what `Tally.add` does."""
        closed = len(texts) - is_open
        data = super().add(texts, is_open)
        # the lengths say which line ends close a document
        self._hash.update(data)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        lengths[0] += self._open_characters
        self._open_characters = int(lengths[-1]) if is_open else 0
        self._lengths_hash.update(lengths[:closed].tobytes())
        return data

    def sha256(self) -> str:
        """Return the hash of the documents so far, and of where they end."""
        return self._hash.hexdigest() + self._lengths_hash.hexdigest()


class PartWriter:
    """Writes the files of one part as its documents come in blocks."""

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        stack: ExitStack,
        *,
        learns_end: bool = True,
    ) -> None:
        self._name = path.name
        self._tokenizer = tokenizer
        self._learns_end = learns_end
        self._dtype = _token_type(tokenizer.vocab_size)
        self._files = {
            suffix: stack.enter_context(files.writing(path.with_suffix(suffix)))
            for suffix in SUFFIXES
        }
        self._checksums = dict.fromkeys(SUFFIXES, 0)
        self._tally = Tally()
        self._size = 0  # tokens written, boundaries included
        self._start = 0  # the boundary that opens the unfinished document
        self._documents = self._targets = self._unknown = 0

    @property
    def characters(self) -> int:
        """Characters so far."""
        return self._tally.characters

    def add(self, texts: list[str], is_open: bool) -> None:
        """Encode and write the next block of documents."""
        self._tally.add(texts, is_open)
        ids, ends = self._tokenizer.encode_closed(texts)
        if is_open:
            ids, ends = ids[:-1], ends[:-1]
        self._unknown += self._tokenizer.count_unknown(ids)
        if not self._size:
            self._write_tokens(np.array([BOUNDARY]))
        ends = ends + self._size
        self._write_tokens(ids)
        self._close_documents(ends, is_end_target=self._learns_end)

    def finish(self) -> dict[str, Any]:
        """Close a document that was cut; return the counts and checksums of the part.

        Raises TextError if there is too little to predict.
        """
        last = self._size - 1
        if last > self._start:
            # the last token is a target, and no boundary follows it
            self._close_documents(np.array([last]), is_end_target=True)
        least = LEAST_TARGETS[self._name]
        if self._targets < least:
            name = {"train": "training", "valid": "validation"}[self._name]
            raise TextError(
                f"too little text: the {name} part has {self.characters:,} characters,"
                f" {self._targets} tokens to predict; it needs {least}",
                hint="use a longer text, or another --valid-frac",
            )
        return {
            "tokens": self._size,
            "documents": self._documents,
            "characters": self._tally.characters,
            "bytes": self._tally.bytes,
            "words": self._tally.words,
            "unknown": self._unknown,
            "crc32": self._checksums,
        }

    def _close_documents(self, ends: Positions, *, is_end_target: bool) -> None:
        """Note documents whose end is written at `ends`."""
        borders = np.concatenate([[self._start], ends])
        lengths = np.diff(borders) - (not is_end_target)
        self._write(".starts", borders[:-1].astype("<i8"))
        self._write(".lengths", lengths.astype("<i8"))
        self._start = int(borders[-1])
        self._documents += len(lengths)
        self._targets += int(lengths.sum())

    def _write_tokens(self, tokens: npt.NDArray[Any]) -> None:
        self._write(".tokens", tokens.astype(self._dtype, copy=False))
        self._size += len(tokens)

    def _write(self, suffix: str, array: npt.NDArray[Any]) -> None:
        data = array.tobytes()
        self._files[suffix].write(data)
        self._checksums[suffix] = zlib.crc32(data, self._checksums[suffix])


def _token_type(vocab_size: int) -> np.dtype[Any]:
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
