"""Bytes as tokens: nothing to learn, nothing unknown, any file goes through."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from charrnn.config import TokenizerConfig
from charrnn.tokenizers.base import Ids, Tokenizer


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
        return _ids_of(_bytes_of(text))

    def encode_all(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """Return the ids of many texts end to end, and each text's bytes."""
        parts = [_bytes_of(text) for text in texts]
        counts = np.fromiter(map(len, parts), np.int64, len(parts))
        return _ids_of(b"".join(parts)), counts

    def token_bytes(self, token: int) -> bytes:
        """Return the one byte."""
        return bytes([token - 1]) if token else b""

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of the ids, end to end."""
        return bytes([int(token) - 1 for token in ids if token])

    def to_json(self) -> dict[str, Any]:
        """Return the level: there is nothing else to know."""
        return {"level": self.level}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the one byte tokenizer there is."""
        return cls()


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _ids_of(data: bytes) -> Ids:
    return np.add(np.frombuffer(data, np.uint8), 1, dtype=np.int64)
