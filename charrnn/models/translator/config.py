"""The structure of a translator."""

from dataclasses import dataclass

from charrnn.errors import UsageError
from charrnn.fields import option
from charrnn.models import ATTENTIONS
from charrnn.models.options import (
    cell_option,
    check_sizes,
    embed_option,
    hidden_option,
    layers_option,
    norm_option,
    one_way_option,
)


@dataclass(frozen=True)
class TranslatorConfig:
    """The options and the vocabulary sizes that define a translator.

    source_size: the vocabulary size of inputs. copies: the output token that each input
    token can be copied as, or 0 for none; empty if no token can be copied.
    """

    vocab_size: int
    source_size: int
    cell: str = cell_option()
    layers: int = layers_option()
    hidden: int = hidden_option()
    embed: int = embed_option(128, at_least=1)
    one_way: bool = one_way_option()
    norm: bool = norm_option()
    attention: str = option(
        "additive",
        choices=ATTENTIONS,
        help="How a translator scores the positions of its input. With none, it reads"
        " one vector for the whole input at every step.",
    )
    copy: bool = option(
        False, off="--no-copy", help="Let a translator copy tokens from its input."
    )
    copies: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size", "source_size")
        if self.copy and self.attention == "none":
            raise UsageError("`copy` needs attention, but `attention` is none")
        if self.copies and len(self.copies) != self.source_size:
            raise UsageError(
                f"`copies` has {len(self.copies)} values instead of {self.source_size}"
            )
        if not all(0 <= token < self.vocab_size for token in self.copies):
            raise UsageError("`copies` contains an output token that does not exist")

    @property
    def copied_as(self) -> tuple[int, ...]:
        """The output token that each input token can be copied as, or 0 for none."""
        return self.copies or (0,) * self.source_size

    @property
    def title(self) -> str:
        """The model's name in messages, such as "lstm 1x256, additive attention"."""
        return f"{self.cell} {self.layers}x{self.hidden}, {self.attention} attention"
