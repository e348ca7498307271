"""The structure of a fixed-window network."""

from dataclasses import dataclass

from charrnn.fields import option
from charrnn.models.options import (
    check_sizes,
    embed_option,
    hidden_option,
    order_option,
)


@dataclass(frozen=True)
class WindowConfig:
    """The options and the vocabulary size of a network that sees `order` - 1 tokens."""

    vocab_size: int
    order: int = order_option(8, at_least=2)
    hidden: int = hidden_option()
    embed: int = embed_option(64, at_least=1)
    direct: bool = option(
        False,
        off="--no-direct",
        help="Also connect the embeddings in the window directly to the output.",
    )

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size")

    @property
    def lags(self) -> int:
        """The number of tokens in the window."""
        return self.order - 1

    @property
    def title(self) -> str:
        """The model's name in messages, such as "window of 10, 1x512"."""
        return f"window of {self.order}, 1x{self.hidden}"
