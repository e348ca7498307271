"""Convert the ids of an input back to text."""

from collections.abc import Sequence
from typing import Self

from charrnn.models.base import Tokens
from charrnn.tokenizers.base import Tokenizer


class Reader:
    """Converts ids to text, without a tokenizer.

    pieces: the UTF-8 bytes of each id, (X,). between: the text between two pieces.
    """

    def __init__(self, pieces: Sequence[bytes], between: str) -> None:
        self.pieces = pieces
        self.between = between
        self._between = between.encode()

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Self:
        """Return a reader for the ids of a tokenizer."""
        pieces = [tokenizer.token_bytes(k) for k in range(tokenizer.vocab_size)]
        between = tokenizer.join([b"x", b"x"])[1:-1]
        return cls(pieces, between.decode())

    def text(self, ids: Tokens) -> str:
        """Return the text of ids, (n,)."""
        joined = self._between.join(self.pieces[k] for k in ids.tolist())
        return joined.decode("utf-8", "surrogateescape")
