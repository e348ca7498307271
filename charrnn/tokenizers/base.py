"""The contract of a tokenizer: each token stands for bytes that it adds to a text.

Id 0 is the *boundary*, which opens and closes every document: the first token is
predicted after a boundary, and a generated boundary ends the text. `encode` never
returns it.
"""

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn.text.characters import code_points
from charrnn.tokenizers.config import TokenizerConfig

Ids = npt.NDArray[np.int64]
AnyIds = npt.NDArray[np.integer[Any]]

BOUNDARY: Final = 0
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}".encode()


class Tokenizer(ABC):
    """Converts text to ids and back. There is a subclass for every level."""

    level: ClassVar[str]
    boundary: Final = BOUNDARY
    unknown: int | None = None  #: id of the unknown token, if any
    _bytes: list[bytes]  #: what each id adds to a text

    @classmethod
    @abstractmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn a vocabulary from training texts, in a single pass."""

    @property
    def vocab_size(self) -> int:
        """Number of ids, including the boundary and the unknown token."""
        return len(self._bytes)

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """Return the ids of a text, (n,) int64, without a boundary."""

    def normalise(self, text: str) -> str:
        """Return the decoded tokens of the text, as if no token were unknown.

        This is the text itself, except at the levels "symbol" and "features".
        """
        return text

    @property
    def knows_tabs(self) -> bool:
        """Whether a TAB is a known token, or separates different kinds of tokens."""
        ids = self.encode("\t")
        return len(ids) > 0 and not self.count_unknown(ids)

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes that a token adds to a text.

        The boundary adds none, the unknown token adds U+FFFD (level symbol: <unk>), and
        a lone surrogate adds the byte that it escapes.
        """
        return self._bytes[token]

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` takes."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild a tokenizer. Raises ValueError for invalid values."""

    @cached_property
    def never_generated(self) -> tuple[int, ...]:
        """Ids that a sampler must not draw: the unknown token, and ids without bytes.

        The boundary has no bytes but can be drawn: it ends the text.
        """
        ids = range(BOUNDARY + 1, self.vocab_size)
        return tuple(i for i in ids if i == self.unknown or not self._bytes[i])

    def count_unknown(self, ids: AnyIds) -> int:
        """Return how many of the ids are unknown."""
        return 0 if self.unknown is None else int(np.count_nonzero(ids == self.unknown))

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Return the ids with a boundary after each text, and the boundaries' indices.

        Calls `encode` once per text; faster overrides may return smaller integers.
        """
        parts = [self.encode(text) for text in texts]
        counts = np.fromiter(map(len, parts), np.int64, len(parts))
        boundary = np.array([BOUNDARY])
        pieces = chain.from_iterable((part, boundary) for part in parts)
        return np.concatenate([np.empty(0, np.int64), *pieces]), boundary_places(counts)

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids, and the character offset where each token ends.

        If a token ends inside a character, its offset is where that character starts.
        """
        ids = self.encode(text)
        lengths = [len(self.token_bytes(token)) for token in ids.tolist()]
        points = code_points(text)
        widths = 1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF)
        widths[(points >= 0xDC80) & (points <= 0xDCFF)] = 1  # one escaped byte
        ends = np.cumsum(lengths, dtype=np.int64)
        return ids, np.searchsorted(np.cumsum(widths), ends, side="right")

    def join(self, pieces: Iterable[bytes]) -> bytes:
        """Return the text of consecutive tokens as bytes, given each token's bytes."""
        return b"".join(pieces)

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the joined bytes of the tokens."""
        return self.join(map(self.token_bytes, as_ids(ids).tolist()))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of the tokens; invalid UTF-8 becomes U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def stream(self, prompt: str = "") -> "StreamDecoder":
        """Return a decoder that takes ids one at a time, for text after a prompt."""
        return StreamDecoder(self, prompt)

    def piece(self, token: int) -> str:
        """Return the text that represents a token in tables."""
        if token == BOUNDARY:
            return "<EOS>"
        if token == self.unknown:
            return "<UNK>"
        return self.token_bytes(token).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Tokenizers:
    """The tokenizers of a model's outputs and, if it reads any, of its inputs.

    A language model has only an output tokenizer, for all text that it reads or writes.
    """

    output: Tokenizer
    source: Tokenizer | None = None


def as_ids(ids: Iterable[int]) -> AnyIds:
    """Return ids from any iterable as an array."""
    return ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64)


def boundary_places(counts: Ids) -> Ids:
    """Return the index of the boundary after each text, given the texts' lengths."""
    return np.cumsum(counts + 1) - 1


class StreamDecoder:
    """Decodes ids one at a time, holding back incomplete characters."""

    def __init__(self, tokenizer: Tokenizer, prompt: str = "") -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._last = prompt[-1:].encode("utf-8", "surrogateescape")

    def feed(self, token: int) -> str:
        """Return the characters that this token completes, if any."""
        piece = self._tokenizer.token_bytes(token)
        added = self._tokenizer.join([self._last, piece])[len(self._last) :]
        self._last = piece or self._last
        return self._decoder.decode(added)

    def flush(self) -> str:
        """End the text; return U+FFFD if its last character is incomplete."""
        return self._decoder.decode(b"", True)


def listed(values: dict[str, Any], name: str, level: str) -> list[str]:
    """Return a list of texts from the JSON values of a tokenizer. Raises ValueError."""
    found = values.get(name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"a {level} tokenizer needs a list of {name}")
    return found
