"""Sizes and rates of recurrent networks that the user did not set."""

import math
from typing import Final

from charrnn.models.recipe import CorpusStatistics, Given, GradientRecipe
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes

SHORT_TIME_S: Final = 120.0  #: below this, more steps with short windows pay off
LONG_TIME_S: Final = 900.0  #: from here on, a network twice as wide pays off


class RecurrentRecipe(GradientRecipe):
    """The defaults of recurrent networks."""

    parameter_shapes = staticmethod(parameter_shapes)

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[RecurrentConfig, list[str]]:
        """Fill in the config from corpus and time; return it, and why this size."""
        # the larger the vocabulary, the wider the embedding
        small = 64 if data.vocab_size <= 128 else 128
        embed = 256 if data.has_long_tokens else small
        hidden = _hidden(data, training, device)
        chosen = {"hidden": hidden, "embed": embed, "tie": data.has_long_tokens}
        config = RecurrentConfig(**{**chosen, **given, "vocab_size": data.vocab_size})
        why = [f"hidden {hidden}: {data.tokens:,} training tokens"]
        return config, [] if "hidden" in given else why

    @staticmethod
    def windows(data: CorpusStatistics, given: Given) -> dict[str, int]:
        """Return how many tokens a step reads: `bptt`, `batch`, `stages`."""
        has_short_time = 0 < given.get("time_s", 0) < SHORT_TIME_S
        # the same text consists of fewer long tokens
        is_short = has_short_time or data.has_long_tokens
        bptt = given.get("bptt", 64 if is_short else 128)
        # fewer streams when the text is too short to fill them
        batch = min(32, max(1, data.tokens // (4 * bptt)))
        stages = 1 if "bptt" in given or has_short_time else 2
        return {"batch": batch, "bptt": bptt, "stages": stages}

    @staticmethod
    def peak_rate(config: RecurrentConfig, epochs: float) -> float:
        """Return the highest learning rate for a number of epochs."""
        # text that is read only once or twice is learned at a higher rate
        peak = 8e-3 if epochs < 3 else 5e-3
        return peak * min(1.0, math.sqrt(512 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the dropout at the beginning and at the end of a number of epochs."""
        return 0.1, min(0.6, 0.1 + 0.05 * epochs)

    @staticmethod
    def looked_up(config: RecurrentConfig) -> int:
        """Return the number of weights that are looked up instead of multiplied."""
        return 0 if config.tie else config.vocab_size * config.embed


def _hidden(data: CorpusStatistics, training: Given, device: str) -> int:
    """Return how many units suit the text and the training time."""
    tokens = data.tokens
    if tokens < 100_000 or (tokens < 1_000_000 and data.has_short_documents):
        return 256
    if tokens < 300_000:
        return 384
    if device == "cpu":
        if training.get("time_s", 0) >= LONG_TIME_S:
            return 1024
        # With an 8-gram, 448 units score 1.374 nats on tinyshakespeare, and 512 score
        # 1.373. But 448 units generate 8,300 characters per second instead of 7,000.
        return 448 if training.get("with_ngram") else 512
    return 512 if tokens < 1_000_000 else 768
