"""Default sizes and rates of fixed-window networks."""

import math

from charrnn.models.recipe import CorpusStatistics, Given, GradientRecipe
from charrnn.models.window.config import WindowConfig
from charrnn.models.window.model import parameter_shapes


class WindowRecipe(GradientRecipe):
    """The defaults of fixed-window networks."""

    parameter_shapes = staticmethod(parameter_shapes)

    @staticmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[WindowConfig, list[str]]:
        """Return a config for the corpus, and a reason for each choice."""
        # networks with longer windows learn more slowly
        order, what = 8, "the vocabulary is small"
        if data.has_long_tokens:
            order, what = 5, "tokens are words or subwords"
        hidden = 256 if data.tokens < 100_000 else 512
        why = {
            "order": f"order {order}: {what}",
            "hidden": f"hidden {hidden}: {data.tokens:,} training tokens",
        }
        chosen = {"order": order, "hidden": hidden}
        config = WindowConfig(**{**chosen, **given, "vocab_size": data.vocab_size})
        return config, [why[name] for name in why if name not in given]

    @staticmethod
    def windows(data: CorpusStatistics, given: Given) -> dict[str, int]:
        """Return the TrainConfig fields that set the windows: bptt, batch, stages."""
        # short windows draw from many positions in the text; no state is carried
        bptt = given.get("bptt", 32)
        batch = min(64, max(1, data.tokens // (4 * bptt)))
        return {"batch": batch, "bptt": bptt, "stages": 1}

    @staticmethod
    def peak_rate(config: WindowConfig, epochs: float) -> float:
        """Return the highest learning rate for a number of epochs."""
        return 1e-2 * min(1.0, math.sqrt(512 / config.hidden))

    @staticmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the initial and final dropout for a given number of epochs."""
        return 0.05, min(0.4, 0.05 + 0.02 * epochs)
