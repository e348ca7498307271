"""The shape of a fixed-window network."""

from dataclasses import dataclass

from charrnn.fields import at_least
from charrnn.models.ngram.config import (
    check_order,
)


@dataclass(frozen=True)
class WindowConfig:
    """The shape of a network that sees the last order - 1 tokens.

    `direct` connects their embeddings to the output, past the hidden layer.
    """

    vocab_size: int
    order: int = 8
    hidden: int = 512
    embed: int = 64
    direct: bool = False

    def __post_init__(self) -> None:
        at_least("--vocab-size", self.vocab_size, 1)
        check_order("--order", self.order, 2)
        at_least("--hidden", self.hidden, 1)
        at_least("--embed", self.embed, 1)

    @property
    def title(self) -> str:
        """How a network is called: window of 10, 1x512."""
        return f"window of {self.order}, 1x{self.hidden}"
