"""The contract of a tokenizer: bytes are the ground truth of text.

A token *is* the bytes it adds to a text. Round trip, streamed output and bits per
byte all follow from that.

Id 0 is the *boundary*: it opens and closes every document, is the context of the
first token, and is the end of text when it is generated. `encode` never produces it
from text, whatever the text looks like.
"""

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn.tokenizers.config import TokenizerConfig

Ids = npt.NDArray[np.int64]
AnyIds = npt.NDArray[np.integer[Any]]

BOUNDARY: Final = 0
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}".encode()


class Tokenizer(ABC):
    """Text to ids and back. Subclasses: char, byte, word, subword."""

    level: ClassVar[str]
    boundary: Final = BOUNDARY
    unknown: int | None = None  #: the learned unknown token, where there is one

    @classmethod
    @abstractmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn a vocabulary from texts (the training part only), read once."""

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """Number of ids, boundary and unknown included."""

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """Return the ids of a text, (n,) int64, without any boundary."""

    @abstractmethod
    def token_bytes(self, token: int) -> bytes:
        """Return the bytes that a token adds; none for the boundary.

        The unknown token adds U+FFFD: which character it was is lost.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return everything `from_json` needs, as JSON values."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a tokenizer. Raises ValueError if the values make no sense."""

    @property
    def never_generated(self) -> tuple[int, ...]:
        """Ids that a sampler must not draw: no text comes out of them."""
        return () if self.unknown is None else (self.unknown,)

    def count_unknown(self, ids: AnyIds) -> int:
        """Return how many of the ids are the unknown token."""
        return 0 if self.unknown is None else int(np.count_nonzero(ids == self.unknown))

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Return the ids of many texts, a boundary after each, and where these are.

        The same as one `encode` a text, in whatever integers are at hand. Char and
        byte do it in one stroke.
        """
        parts = [self.encode(text) for text in texts]
        counts = np.fromiter(map(len, parts), np.int64, len(parts))
        boundary = np.array([BOUNDARY])
        pieces = chain.from_iterable((part, boundary) for part in parts)
        return np.concatenate([np.empty(0, np.int64), *pieces]), boundary_places(counts)

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and, for each, the character offset where it ends.

        A token that ends inside a character ends where that character starts.
        """
        ids = self.encode(text)
        lengths = [len(self.token_bytes(token)) for token in ids.tolist()]
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        widths = 1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF)
        widths[(points >= 0xDC80) & (points <= 0xDCFF)] = 1  # one escaped byte
        ends = np.cumsum(lengths, dtype=np.int64)
        return ids, np.searchsorted(np.cumsum(widths), ends, side="right")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of the ids, end to end."""
        return b"".join(map(self.token_bytes, as_ids(ids).tolist()))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of the ids; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def stream(self) -> "StreamDecoder":
        """Return a decoder that takes ids one at a time."""
        return StreamDecoder(self)

    def piece(self, token: int) -> str:
        """Return a token as people read it in a table."""
        if token == BOUNDARY:
            return "<EOS>"
        if token == self.unknown:
            return "<UNK>"
        return self.token_bytes(token).decode("utf-8", "backslashreplace")


def as_ids(ids: Iterable[int]) -> AnyIds:
    """Return ids of any kind as an array."""
    return ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64)


def boundary_places(counts: Ids) -> Ids:
    """Return where the boundary after each text stands, of texts of so many tokens."""
    return np.cumsum(counts + 1) - 1


class StreamDecoder:
    """Turns ids into text one at a time and holds back half characters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token: int) -> str:
        """Return the characters that this token completes, perhaps none."""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def flush(self) -> str:
        """Return what was held back, as U+FFFD, at the end of the text."""
        return self._decoder.decode(b"", True)
