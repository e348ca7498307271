"""Default sizes and rates of classifiers and taggers."""

import math
from typing import Final

from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.model import parameter_shapes
from charrnn.models.recipe import CorpusStatistics, Given, GradientRecipe

#: with fewer tokens, few units learn equally well in less time
FEW_TOKENS = 500_000

WORD_LENGTH: Final = 6  #: letters per word on average, with the blank


class LabellerRecipe(GradientRecipe):
    """The defaults of classifiers and taggers."""

    parameter_shapes = staticmethod(parameter_shapes)

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[LabellerConfig, list[str]]:
        """Fill in the config from the corpus; return it with the reasons.

        given: includes the fields that follow from the data, such as `spans`.
        """
        hidden = 128 if given.get("words") and data.tokens < FEW_TOKENS else 256
        crf = bool(given.get("spans"))
        why = {
            "hidden": f"hidden {hidden}: {data.tokens:,} training tokens",
            "crf": "crf: the labels mark spans",
        }
        chosen = {"hidden": hidden, "crf": crf, "vocab_size": data.vocab_size}
        config = LabellerConfig(**{**chosen, **given})
        names = ["hidden", "crf"] if crf else ["hidden"]
        return config, [why[name] for name in names if name not in given]

    @staticmethod
    def windows(data: CorpusStatistics, given: Given) -> dict[str, int]:
        """Return `bptt`, `batch` and `stages`: how many tokens a step reads."""
        return {"batch": 32, "bptt": data.mean_length, "stages": 1}

    @staticmethod
    def peak_rate(config: LabellerConfig, epochs: float) -> float:
        """Return the peak learning rate for a number of epochs."""
        return 4e-3 * min(1.0, math.sqrt(256 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the initial and final dropout for a given number of epochs."""
        return 0.3, 0.4

    @staticmethod
    def steps(config: LabellerConfig, tokens: int) -> int:
        """Return how many steps the layers take to read an example, at most."""
        # letters cost little, because each distinct word is read once
        return tokens // WORD_LENGTH if config.reads_words else tokens

    @staticmethod
    def looked_up(config: LabellerConfig) -> int:
        """Return the number of weights that are looked up instead of multiplied."""
        vectors = (config.words + 1) * config.word_embed if config.words else 0
        return config.source_size * config.embed + vectors
