"""Write the files of a token store, block by block."""

import hashlib
import zlib
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.data.store import SUFFIXES, Positions, token_type
from charrnn.errors import TextError
from charrnn.storage import files
from charrnn.text.size import Tally
from charrnn.tokenizers.base import BOUNDARY, Tokenizer


class Fingerprint(Tally):
    """Counts documents and hashes them."""

    def __init__(self) -> None:
        super().__init__()
        self._open_characters = 0
        self._hash = hashlib.sha256()
        self._lengths_hash = hashlib.sha256()

    def add(self, texts: list[str], is_open: bool) -> bytes:
        """Count and hash the next block; return its bytes."""
        closed = len(texts) - is_open
        data = super().add(texts, is_open)
        # the lengths record which newlines close a document
        self._hash.update(data)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        lengths[0] += self._open_characters
        self._open_characters = int(lengths[-1]) if is_open else 0
        self._lengths_hash.update(lengths[:closed].tobytes())
        return data

    def sha256(self) -> str:
        """Return the hash of the documents so far, and of their lengths."""
        return self._hash.hexdigest() + self._lengths_hash.hexdigest()


class PartWriter:
    """Writes the files of one part, block by block."""

    def __init__(
        self,
        path: Path,
        tokenizer: Tokenizer,
        stack: ExitStack,
        *,
        learns_end: bool = True,
        least_targets: int = 1,
    ) -> None:
        self._name = path.name
        self._least = least_targets
        self._tokenizer = tokenizer
        self._learns_end = learns_end
        self._dtype = token_type(tokenizer.vocab_size)
        self._files = {
            suffix: stack.enter_context(files.writing(path.with_suffix(suffix)))
            for suffix in SUFFIXES
        }
        self._checksums = dict.fromkeys(SUFFIXES, 0)
        self._tally = Tally()
        self._size = 0  # tokens written, including boundaries
        self._start = 0  # opening boundary of the current document
        self._documents = self._targets = self._unknown = 0

    @property
    def characters(self) -> int:
        """Number of characters so far."""
        return self._tally.size.characters

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
        """Close a truncated document; return the part's counts and checksums.

        Raises TextError if there are too few tokens to predict.
        """
        last = self._size - 1
        if last > self._start:
            # the last token is a target, not a boundary
            self._close_documents(np.array([last]), is_end_target=True)
        if self._targets < self._least:
            name = {"train": "training", "valid": "validation"}[self._name]
            raise TextError(
                f"too little text: the {name} part has {self.characters:,} characters "
                f"and {self._targets} tokens to predict; it needs {self._least}",
                hint="use a longer text, or a different `valid_frac`",
            )
        return {
            "tokens": self._size,
            "documents": self._documents,
            **asdict(self._tally.size),
            "unknown": self._unknown,
            "crc32": self._checksums,
        }

    def _close_documents(self, ends: Positions, *, is_end_target: bool) -> None:
        """Record the documents whose closing boundaries are at `ends`."""
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
