"""Bytes as tokens: any file can be encoded, and there is nothing to learn."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from charrnn.tokenizers.base import (
    BOUNDARY,
    AnyIds,
    Ids,
    Tokenizer,
    as_ids,
    boundary_places,
)
from charrnn.tokenizers.config import TokenizerConfig


class ByteTokenizer(Tokenizer):
    """Encodes byte b as id b + 1.

    Text read with `surrogateescape` decodes to its original bytes, UTF-8 or not.
    """

    level = "byte"
    _bytes = [b"", *(bytes([byte]) for byte in range(256))]

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Return a byte tokenizer without reading the texts."""
        return cls()

    def encode(self, text: str) -> Ids:
        """Return one id per byte of the UTF-8 encoded text."""
        return np.add(np.frombuffer(_bytes_of(text), np.uint8), 1, dtype=np.int64)

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Encode all texts at once."""
        parts = [_bytes_of(text) for text in texts]
        counts = np.fromiter(map(len, parts), np.int64, len(parts))
        # the NULs are placeholders for the boundaries
        data = b"\0".join([*parts, b""])
        ids = np.add(np.frombuffer(data, np.uint8), 1, dtype=np.uint16)
        places = boundary_places(counts)
        ids[places] = BOUNDARY
        return ids, places

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of the tokens."""
        tokens = as_ids(ids)
        data: bytes = (tokens[tokens != BOUNDARY] - 1).astype(np.uint8).tobytes()
        return data

    def to_json(self) -> dict[str, Any]:
        """Return the level; there is nothing else to store."""
        return {"level": self.level}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return a byte tokenizer."""
        return cls()


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
