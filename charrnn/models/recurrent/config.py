"""The structure of a recurrent language model."""

from dataclasses import dataclass

from charrnn.errors import UsageError
from charrnn.fields import option
from charrnn.models.options import (
    cell_option,
    check_sizes,
    embed_option,
    hidden_option,
    layers_option,
    norm_option,
)


@dataclass(frozen=True)
class RecurrentConfig:
    """The vocabulary size and the options that define a recurrent language model."""

    vocab_size: int
    cell: str = cell_option()
    layers: int = layers_option()
    hidden: int = hidden_option()
    embed: int = embed_option(128)
    tie: bool = option(
        False,
        off="--no-tie",
        help="Also use the embedding matrix as the output matrix.",
    )
    residual: bool = option(
        True, off="--no-residual", help="Add each layer's input to its output."
    )
    norm: bool = norm_option()
    learned_state: bool = option(
        False, off="--zero-state", help="Learn the initial state."
    )

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size")
        if self.tie and not self.embed:
            raise UsageError("`tie` needs an embedding, but `embed` is 0")

    @property
    def title(self) -> str:
        """The model's name in messages, such as "gru 1x512"."""
        return f"{self.cell} {self.layers}x{self.hidden}"
