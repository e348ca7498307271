"""Score: the surprisal of a text as sums that add up."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """The nats of a text and how much text they are for. Scores add."""

    nats: float = 0.0
    tokens: int = 0
    characters: int = 0
    bytes: int = 0
    words: int = 0
    unknown: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.nats + other.nats,
            self.tokens + other.tokens,
            self.characters + other.characters,
            self.bytes + other.bytes,
            self.words + other.words,
            self.unknown + other.unknown,
        )

    @property
    def loss_nats(self) -> float:
        """What decides which model is the best."""
        return self.nats_per_token

    @property
    def headline(self) -> tuple[str, float]:
        """What training shows: a unit and its value."""
        return "bits/char", self.bits_per_char

    def to_json(self) -> dict[str, Any]:
        """Return what is reported of a validation; None where it is infinite."""
        means = {
            "nats_per_token": self.nats_per_token,
            "bits_per_char": self.bits_per_char,
            "bits_per_byte": self.bits_per_byte,
        }
        # JSON has no infinity, the cost of a text that a model thinks impossible
        finite = {k: v if math.isfinite(v) else None for k, v in means.items()}
        return finite | {"tokens": self.tokens, "unknown": self.unknown}

    @property
    def bits(self) -> float:
        """-log2 P(text)."""
        return self.nats / math.log(2)

    @property
    def log10(self) -> float:
        """log10 P(text), negative, as n-gram toolkits print it."""
        return 0.0 - self.nats / math.log(10)  # and not -0.0 of an empty text

    @property
    def nats_per_token(self) -> float:
        """Mean -ln p of a token, the cross-entropy; NaN of no tokens."""
        return _ratio(self.nats, self.tokens)

    @property
    def bits_per_token(self) -> float:
        """Mean -log2 p of a token."""
        return _ratio(self.bits, self.tokens)

    @property
    def bits_per_char(self) -> float:
        """Bits a character (Unicode code point).

        Comparable across tokenizers, between scores that both count ends of texts or
        both don't: an end has no character.
        """
        return _ratio(self.bits, self.characters)

    @property
    def bits_per_byte(self) -> float:
        """Bits a byte of UTF-8; comparable across tokenizers."""
        return _ratio(self.bits, self.bytes)

    @property
    def bits_per_word(self) -> float:
        """Bits a word (white space separated)."""
        return _ratio(self.bits, self.words)

    @property
    def perplexity(self) -> float:
        """The exponential of the nats a token."""
        return _exp(self.nats_per_token)

    @property
    def perplexity_per_word(self) -> float:
        """The exponential of the nats a word (white space separated)."""
        return _exp(_ratio(self.nats, self.words))


def _ratio(sum_: float, count: int) -> float:
    return sum_ / count if count else math.nan


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
