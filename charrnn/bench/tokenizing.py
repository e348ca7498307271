"""Readings of how fast tokenizers encode text."""

from collections.abc import Callable, Iterator
from typing import Final

from charrnn.bench.measurement import Reading, rate
from charrnn.bench.plan import Plan
from charrnn.bench.texts import random_words
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.config import TokenizerConfig

WORDS: Final = 100_000  #: about 0.6 MB
LEARNED_WORDS: Final = 20_000  #: of them, which is all that learning takes


def tokenize(plan: Plan) -> Iterator[Reading]:
    """Yield the megabytes (10^6) of text a second that each level encodes."""
    text = random_words(WORDS)
    learned = random_words(LEARNED_WORDS)

    def encoding(level: str) -> Callable[[], float]:
        tokenizer = tokenizers.fit([learned], TokenizerConfig(level))

        def encode() -> float:
            tokenizer.encode(text)
            return len(text) / 1e6  # it is all ASCII

        return encode

    encoders = {level: encoding(level) for level in TOKENIZERS}
    for encode in encoders.values():
        encode()
    for _ in range(plan.rounds):
        for level, encode in encoders.items():
            yield Reading(level, "MB/s", rate(encode, plan.least_s))
