"""The score of a text, and the units derived from it."""

import math
from dataclasses import astuple, dataclass
from operator import add
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # the command line imports this file, and NumPy takes 0.1 s
    from charrnn.text.size import TextSize


@dataclass(frozen=True)
class Score:
    """The nats and the size of a text. Scores can be added."""

    nats: float = 0.0
    tokens: int = 0
    characters: int = 0
    bytes: int = 0
    words: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, nats: float, tokens: int, size: "TextSize", unknown: int = 0) -> Self:
        """Return the score of a text of this size."""
        return cls(nats, tokens, size.characters, size.bytes, size.words, unknown)

    def __add__(self, other: "Score") -> "Score":
        return Score(*map(add, astuple(self), astuple(other)))

    @property
    def loss_nats(self) -> float:
        """The validation loss, in nats per token."""
        return self.nats_per_token

    @property
    def criterion(self) -> float:
        """The number that is lowest for the best model."""
        return self.nats_per_token

    def to_json(self) -> dict[str, Any]:
        """Return the values that a validation reports; None stands for infinity."""
        means = {
            "nats_per_token": self.nats_per_token,
            "bits_per_char": self.bits_per_char,
            "bits_per_byte": self.bits_per_byte,
        }
        # a text with probability 0 costs infinitely many nats, and JSON has no infinity
        finite = {k: v if math.isfinite(v) else None for k, v in means.items()}
        return finite | {"tokens": self.tokens, "unknown": self.unknown}

    @property
    def bits(self) -> float:
        """-log2 P(text)."""
        return self.nats / math.log(2)

    @property
    def log10(self) -> float:
        """log10 P(text), the unit of n-gram toolkits."""
        return 0.0 - self.nats / math.log(10)  # an empty text gives 0.0, not -0.0

    @property
    def nats_per_token(self) -> float:
        """Mean -ln p per token (the cross-entropy), or NaN if there are no tokens."""
        return _ratio(self.nats, self.tokens)

    @property
    def bits_per_token(self) -> float:
        """Mean -log2 p per token."""
        return _ratio(self.bits, self.tokens)

    @property
    def bits_per_char(self) -> float:
        """Bits per character (Unicode code point), comparable across tokenizers.

        Compare two scores only if both count the ends of texts, or neither does: an end
        costs bits but is not a character.
        """
        return _ratio(self.bits, self.characters)

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte, comparable across tokenizers."""
        return _ratio(self.bits, self.bytes)

    @property
    def bits_per_word(self) -> float:
        """Bits per whitespace-separated word."""
        return _ratio(self.bits, self.words)

    @property
    def perplexity(self) -> float:
        """exp(nats per token)."""
        return _exp(self.nats_per_token)

    @property
    def perplexity_per_word(self) -> float:
        """exp(nats per whitespace-separated word)."""
        return _exp(_ratio(self.nats, self.words))


def _ratio(sum_: float, count: int) -> float:
    return sum_ / count if count else math.nan


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
