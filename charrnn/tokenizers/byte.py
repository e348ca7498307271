"""Bytes as tokens: nothing to learn, nothing unknown, any file goes through."""

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
    """The boundary, then byte b as id b + 1.

    A text that was read with `surrogateescape` gives back its bytes, UTF-8 or not.
    """

    level = "byte"

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Return the one byte tokenizer there is; the texts are not read."""
        return cls()

    @property
    def vocab_size(self) -> int:
        """257: all bytes and the boundary."""
        return 257

    def encode(self, text: str) -> Ids:
        """Return one id a byte of the text as UTF-8, (n,) int64."""
        return np.add(np.frombuffer(_bytes_of(text), np.uint8), 1, dtype=np.int64)

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Return the ids of many texts, a boundary after each, and where these are."""
        parts = [_bytes_of(text) for text in texts]
        counts = np.fromiter(map(len, parts), np.int64, len(parts))
        # any byte keeps the place of a boundary
        data = b"\0".join([*parts, b""])
        ids = np.add(np.frombuffer(data, np.uint8), 1, dtype=np.uint16)
        places = boundary_places(counts)
        ids[places] = BOUNDARY
        return ids, places

    def token_bytes(self, token: int) -> bytes:
        """Return the one byte."""
        return bytes([token - 1]) if token else b""

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of the ids, end to end."""
        tokens = as_ids(ids)
        data: bytes = (tokens[tokens != BOUNDARY] - 1).astype(np.uint8).tobytes()
        return data

    def to_json(self) -> dict[str, Any]:
        """Return the level: there is nothing else to know."""
        return {"level": self.level}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the one byte tokenizer there is."""
        return cls()


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
