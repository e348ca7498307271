"""How text becomes tokens."""

from dataclasses import dataclass
from typing import Final

from charrnn.fields import at_least, one_of
from charrnn.tokenizers import TOKENIZERS

SUBWORD_TYPES: Final = ("unigram", "bpe")


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes tokens; `vocab_size` 0 is the level's own default."""

    level: str = "char"
    vocab_size: int = 0
    min_count: int = 2
    model_type: str = "unigram"

    def __post_init__(self) -> None:
        one_of("--level", self.level, tuple(TOKENIZERS))
        one_of("--model-type", self.model_type, SUBWORD_TYPES)
        at_least("--vocab-size", self.vocab_size, 0)
        at_least("--min-count", self.min_count, 1)
