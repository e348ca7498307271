"""Translators that several tests use: random ones of every kind, with inputs."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from charrnn.models import ATTENTIONS, CELLS
from charrnn.models.base import Tokens
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.model import TranslatorModel, parameter_shapes

V, N = 9, 7
#: tokens 1 and 6 of the input have no twin in the output, and two of them share one
COPIES = (0, 0, 2, 3, 3, 8, 0)


def translator_config(**given: Any) -> TranslatorConfig:
    """Return a small config; with `copy`, also the tokens that can be copied."""
    sizes: dict[str, Any] = {"hidden": 6, "embed": 4, "layers": 2}
    if given.get("copy"):
        sizes["copies"] = COPIES
    return TranslatorConfig(**{"vocab_size": V, "source_size": N, **sizes, **given})


def translator_configs() -> Iterator[TranslatorConfig]:
    """Yield every kind of attention with and without extras, and every cell."""
    for attention, extras in product(ATTENTIONS, (False, True)):
        yield translator_config(
            attention=attention,
            layers=2 if extras else 1,
            norm=extras,
            one_way=not extras,
            copy=extras and attention != "none",
        )
    for cell in CELLS:
        if cell != "lstm":
            yield translator_config(cell=cell, attention="general", copy=True)


def translator_label(config: TranslatorConfig) -> str:
    """Return the name of a translator in the names of tests."""
    parts = [config.cell, f"{config.layers}-layer", config.attention]
    names = ("norm", "one_way", "copy")
    return "-".join(parts + [name for name in names if getattr(config, name)])


def random_translator(config: TranslatorConfig, *, seed: int = 0) -> TranslatorModel:
    """Return a translator whose every parameter is drawn from a normal distribution."""
    rng = np.random.default_rng(seed)
    shapes = parameter_shapes(config).items()
    tensors = {n: rng.normal(0, 0.5, x).astype(np.float32) for n, x in shapes}
    return TranslatorModel(config, tensors)


def some_inputs(*lengths: int, size: int = N, seed: int = 0) -> tuple[Tokens, Tokens]:
    """Return random inputs (B, S) of these lengths, padded at the end, and lengths."""
    rng = np.random.default_rng(seed)
    source = np.zeros((len(lengths), max(lengths)), np.int64)
    for row, length in zip(source, lengths, strict=True):
        row[:length] = rng.integers(1, size, length)
    return source, np.array(lengths)
