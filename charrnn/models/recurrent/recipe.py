"""Default sizes and rates of recurrent networks."""

import math
from typing import Final

from charrnn.models.recipe import CorpusStatistics, Given, GradientRecipe
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import parameter_shapes

SHORT_TIME_S: Final = 120.0  #: below this, more steps with short windows pay off
LONG_TIME_S: Final = 900.0  #: above this, a network twice as wide pays off


class RecurrentRecipe(GradientRecipe):
    """The defaults of recurrent networks."""

    parameter_shapes = staticmethod(parameter_shapes)

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[RecurrentConfig, list[str]]:
        """Return a config for the corpus and the time, and the reason for its size."""
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
        """Return the TrainConfig fields that set the windows: bptt, batch, stages."""
        has_short_time = 0 < given.get("time_s", 0) < SHORT_TIME_S
        # with long tokens, the same text has fewer tokens
        is_short = has_short_time or data.has_long_tokens
        bptt = given.get("bptt", 64 if is_short else 128)
        # use fewer streams if the text is too short to fill 32
        batch = min(32, max(1, data.tokens // (4 * bptt)))
        stages = 1 if "bptt" in given or has_short_time else 2
        return {"batch": batch, "bptt": bptt, "stages": stages}

    @staticmethod
    def peak_rate(config: RecurrentConfig, epochs: float) -> float:
        """Return the highest learning rate for a number of epochs."""
        # a text that is read only once or twice needs a higher rate
        peak = 8e-3 if epochs < 3 else 5e-3
        return peak * min(1.0, math.sqrt(512 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the initial and final dropout for a given number of epochs."""
        return 0.1, min(0.6, 0.1 + 0.05 * epochs)

    @staticmethod
    def looked_up(config: RecurrentConfig) -> int:
        """Return the number of weights that are looked up instead of multiplied."""
        return 0 if config.tie else config.vocab_size * config.embed


def _hidden(data: CorpusStatistics, training: Given, device: str) -> int:
    """Return the number of units that suits the text and the training time."""
    tokens = data.tokens
    if tokens < 100_000 or (tokens < 1_000_000 and data.has_short_documents):
        return 256
    if tokens < 300_000:
        return 384
    if device == "cpu":
        if training.get("time_s", 0) >= LONG_TIME_S:
            return 1024
        # When mixed with an 8-gram model, 448 units reach 1.374 nats on tinyshakespeare
        # and 512 units 1.373, but 448 units sample 8,300 characters/s instead of 7,000.
        return 448 if training.get("with_ngram") else 512
    return 512 if tokens < 1_000_000 else 768
