"""The structure of a translator."""

from dataclasses import dataclass

from charrnn.errors import UsageError
from charrnn.fields import check, option
from charrnn.models import ATTENTIONS, CELLS
from charrnn.models.options import embed_option, hidden_option


@dataclass(frozen=True)
class TranslatorConfig:
    """The options and the vocabulary sizes that define a translator.

    source_size: the vocabulary size of inputs. copies: only with `copy`, the output
    token that each input token can be copied as, or 0 if there is none.
    """

    vocab_size: int
    source_size: int
    cell: str = option(
        "lstm", choices=CELLS, metavar="NAME", help="Type of recurrent cell."
    )
    layers: int = option(1, at_least=1, help="Number of stacked layers.")
    hidden: int = hidden_option()
    embed: int = embed_option(128, at_least=1)
    norm: bool = option(True, off="--no-norm", help="Normalize each layer's output.")
    one_way: bool = option(
        False, off="--both-ways", help="Read the input from left to right only."
    )
    attention: str = option(
        "additive",
        choices=ATTENTIONS,
        help="How a translator attends to its input.",
    )
    copy: bool = option(
        False, off="--no-copy", help="Let a translator copy tokens of its input."
    )
    copies: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        for name in ("vocab_size", "source_size"):
            if getattr(self, name) < 1:
                raise UsageError(f"`{name}` is {getattr(self, name)}, less than 1")
        if self.copy and self.attention == "none":
            raise UsageError("`copy` needs attention, but `attention` is none")
        if len(self.copies) != self.copy * self.source_size:
            raise UsageError(
                f"there are copies of {len(self.copies)} input tokens, not of"
                f" {self.copy * self.source_size}"
            )
        if not all(0 <= token < self.vocab_size for token in self.copies):
            raise UsageError("an input token is copied as a token that does not exist")

    @property
    def title(self) -> str:
        """The model's name in messages, such as "lstm 1x256, additive attention"."""
        return f"{self.cell} {self.layers}x{self.hidden}, {self.attention} attention"
