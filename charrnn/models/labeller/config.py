"""The structure of a classifier or tagger."""

import math
from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import option
from charrnn.models.options import (
    cell_option,
    check_sizes,
    embed_option,
    hidden_option,
    layers_option,
    norm_option,
    one_way_option,
)
from charrnn.tokenizers.char import FIRST

MAX_CHAINED: Final = 4096  #: labels, each of which has a score for each other one
READ_OUTS: Final = ("last", "mean", "max")


@dataclass(frozen=True)
class LabellerConfig:
    """The options of a classifier or tagger, and fields that the program sets.

    vocab_size: number of label ids. source_size: number of input ids. per_word: whether
    every word gets a label, instead of the whole input. blank: the id that separates
    words, if any. words: number of known words, which have a vector. letter_hidden:
    number of units per direction that read the letters of a word. word_embed: size of a
    word's vector. spans: the names of all labels if they mark spans, such as B-LOC;
    only some sequences of labels are then legal. temperature: a divisor of the logits
    in inference, which calibrates the probabilities.
    """

    vocab_size: int
    source_size: int
    cell: str = cell_option()
    layers: int = layers_option()
    hidden: int = hidden_option()
    embed: int = embed_option(64, at_least=1)
    one_way: bool = one_way_option()
    norm: bool = norm_option()
    read_out: str = option(
        "mean",
        choices=READ_OUTS,
        help="How a classifier summarizes its outputs: the last of each direction, "
        "their mean, or their maximum.",
    )
    crf: bool = option(
        False,
        off="--no-crf",
        shown="on if labels mark spans, such as B-LOC",
        help="Let the label of a word depend on the label before it (tagger).",
    )
    per_word: bool = False
    blank: int = 0
    words: int = 0
    letter_hidden: int = 64
    word_embed: int = 128
    spans: tuple[str, ...] = ()
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size", "source_size", "letter_hidden", "word_embed")
        if not 0 < self.temperature < math.inf:
            raise UsageError(f"`temperature` is {self.temperature}, not in (0, inf)")
        if self.per_word and self.vocab_size < FIRST:
            raise UsageError("`vocab_size` leaves no room for the unknown label")
        if min(self.words, self.blank) < 0:
            raise UsageError("`words` and `blank` must not be negative")
        if self.is_chain and self.vocab_size > MAX_CHAINED:
            raise UsageError(
                f"there are {self.vocab_size:,} labels in a chain; the maximum is"
                f" {MAX_CHAINED:,}",
                hint="omit `crf`",
            )
        if self.spans and len(self.spans) != self.vocab_size:
            raise UsageError(f"{len(self.spans)} names for {self.vocab_size} labels")

    @property
    def reads_words(self) -> bool:
        """Whether the encoder reads words, which another encoder reads by letter."""
        return self.per_word or self.words > 0

    @property
    def is_chain(self) -> bool:
        """Whether a label depends on the label before it."""
        return self.crf or bool(self.spans)

    @property
    def title(self) -> str:
        """The model's name in messages, such as "labeller lstm 1x256"."""
        return f"labeller {self.cell} {self.layers}x{self.hidden}"
