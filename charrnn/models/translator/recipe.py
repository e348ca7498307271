"""Default sizes and rates of translators."""

import math

from charrnn.models.recipe import CorpusStatistics, Given, GradientRecipe
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.model import parameter_shapes

#: with fewer tokens, few units and many steps work best
FEW_TOKENS = 500_000


class TranslatorRecipe(GradientRecipe):
    """The defaults of translators."""

    label_smoothing = 0.1

    parameter_shapes = staticmethod(parameter_shapes)

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[TranslatorConfig, list[str]]:
        """Fill in the config from the corpus; return it with the reasons.

        given: includes the vocabulary size of inputs and, with `copy`, `copies`.
        """
        hidden = 128 if data.tokens < FEW_TOKENS else 256
        chosen = {"hidden": hidden, "embed": 256 if data.has_long_tokens else 128}
        sizes = {**chosen, **given, "vocab_size": data.vocab_size}
        if sizes.get("attention") == "none":  # copying needs attention
            sizes["copy"] = False
        if not sizes.get("copy"):
            sizes.pop("copies", None)
        config = TranslatorConfig(**sizes)
        why = [f"hidden {config.hidden}: {data.tokens:,} training tokens"]
        return config, [] if "hidden" in given else why

    @staticmethod
    def windows(data: CorpusStatistics, given: Given) -> dict[str, int]:
        """Return `bptt`, `batch` and `stages`: how many tokens a step reads."""
        batch = 32 if data.tokens < FEW_TOKENS else 64
        return {"batch": batch, "bptt": data.mean_length, "stages": 1}

    @staticmethod
    def peak_rate(config: TranslatorConfig, epochs: float) -> float:
        """Return the peak learning rate for a number of epochs."""
        return 5e-3 * min(1.0, math.sqrt(128 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the initial and final dropout for a given number of epochs."""
        return 0.3, 0.3

    @staticmethod
    def looked_up(config: TranslatorConfig) -> int:
        """Return the number of weights that are looked up instead of multiplied."""
        return (config.vocab_size + config.source_size) * config.embed
