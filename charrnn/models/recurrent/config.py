"""The shape of a recurrent language model."""

from dataclasses import dataclass

from charrnn.errors import UsageError
from charrnn.fields import at_least, flag, one_of
from charrnn.models import CELLS


@dataclass(frozen=True)
class RecurrentConfig:
    """The shape of a recurrent language model: all that is needed to build it.

    embed 0 is one-hot input. `tie` uses the embedding as the output matrix too.
    """

    vocab_size: int
    cell: str = "lstm"
    layers: int = 1
    hidden: int = 512
    embed: int = 128
    tie: bool = False
    residual: bool = True
    norm: bool = True
    learned_state: bool = False

    def __post_init__(self) -> None:
        one_of("--cell", self.cell, tuple(CELLS))
        for name in ("vocab_size", "layers", "hidden"):
            at_least(flag(name), getattr(self, name), 1)
        at_least("--embed", self.embed, 0)
        if self.tie and not self.embed:
            raise UsageError("--tie needs an embedding, but --embed is 0")

    @property
    def title(self) -> str:
        """How a network is called: gru 1x512."""
        return f"{self.cell} {self.layers}x{self.hidden}"
