"""Models that several tests use: random ones of every family, hand-made tables."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from charrnn.inference.text_model import TextModel
from charrnn.models import CELLS
from charrnn.models.base import Floats, LanguageModel, State, Tokens
from charrnn.models.mixture import MixtureModel
from charrnn.models.ngram.config import SMOOTHINGS, NgramConfig
from charrnn.models.recurrent import model as recurrent
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import RecurrentModel
from charrnn.models.window import model as window
from charrnn.models.window.config import WindowConfig
from charrnn.models.window.model import WindowModel
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit
from support.ngrams import fit_ngrams
from support.translators import (
    random_translator,
    translator_configs,
    translator_label,
)

NetworkConfig = RecurrentConfig | WindowConfig


def random_model(config: RecurrentConfig, *, seed: int = 0) -> RecurrentModel:
    """Return a network whose every parameter is drawn from a normal distribution."""
    return RecurrentModel(config, _drawn(recurrent.parameter_shapes(config), seed))


def random_network(
    config: NetworkConfig,
) -> RecurrentModel | WindowModel:
    """Return a network of any family, drawn as in `random_model`."""
    if isinstance(config, RecurrentConfig):
        return random_model(config)
    return WindowModel(config, _drawn(window.parameter_shapes(config), 0))


def _drawn(
    shapes: Mapping[str, tuple[int, ...]], seed: int
) -> dict[str, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {n: rng.normal(0, 0.5, x).astype(np.float32) for n, x in shapes.items()}


def random_text_model(
    texts: list[str], *, level: str = "char", seed: int = 0, **shape: Any
) -> TextModel:
    """Return a random network with a tokenizer learned from the texts."""
    tokenizer = fit(texts, TokenizerConfig(level=level, min_count=1))
    sizes = {"cell": "lstm", "hidden": 12, "embed": 6} | shape
    config = RecurrentConfig(vocab_size=tokenizer.vocab_size, **sizes)
    return TextModel(random_model(config, seed=seed), tokenizer)


def recurrent_configs() -> Iterator[RecurrentConfig]:
    """Yield every cell, plain and with all that a network may have, and each alone.

    No cell sees what is around it, so every embedding is tried with one of them only.
    """
    embeddings = [(0, False), (4, False), (4, True), (6, True)]  # 6: E == H
    for cell, (embed, tie), extras in product(CELLS, embeddings, (False, True)):
        if cell != "lstm" and (embed, tie) != ((4, True) if extras else (0, False)):
            continue
        yield RecurrentConfig(
            vocab_size=9,
            cell=cell,
            layers=2 if extras else 1,
            hidden=6,
            embed=embed,
            tie=tie,
            residual=extras,
            norm=extras,
            learned_state=extras,
        )
    for extra in ("residual", "norm", "learned_state"):
        none = {"residual": False, "norm": False, "learned_state": False}
        yield RecurrentConfig(
            vocab_size=9,
            cell="lstm",
            layers=2,
            hidden=6,
            embed=4,
            **none | {extra: True},
        )


def network_configs() -> Iterator[NetworkConfig]:
    """Yield networks of every family with all that they may have."""
    yield from recurrent_configs()
    for order, direct in product((2, 5), (False, True)):
        yield WindowConfig(vocab_size=9, order=order, hidden=6, embed=4, direct=direct)


def label(config: NetworkConfig) -> str:
    """Return the name of a network in the names of tests."""
    if isinstance(config, WindowConfig):
        return f"window-of-{config.order}" + "-direct" * config.direct
    parts = [config.cell, f"{config.layers}-layer", f"embed{config.embed}"]
    names = ("tie", "residual", "norm", "learned_state")
    return "-".join(parts + [name for name in names if getattr(config, name)])


def models_of_every_family() -> dict[str, LanguageModel]:
    """Return models of 9 tokens with all that a family may have, by name."""
    models: dict[str, LanguageModel] = {
        label(config): random_network(config) for config in network_configs()
    }
    rng = np.random.default_rng(0)
    documents = [rng.integers(1, 9, 40).tolist() for _ in range(4)]
    for smoothing, order in product(SMOOTHINGS, (2, 3, 5)):
        k = 0.1 if smoothing == "addk" else 1.0
        config = NgramConfig(vocab_size=9, order=order, smoothing=smoothing, k=k)
        models[f"{order}-gram-{smoothing}"] = fit_ngrams(documents, config)
    for config in translator_configs():
        models[translator_label(config)] = random_translator(config)
    return models | mixtures_of(models)


def mixtures_of(models: Mapping[str, LanguageModel]) -> dict[str, LanguageModel]:
    """Return mixtures of members of one family, of several, and of mixtures."""
    lstm, gru = models["lstm-1-layer-embed0"], models["gru-1-layer-embed0"]
    smooth, sparse = models["3-gram-kneser-ney"], models["5-gram-mle"]
    pair = MixtureModel([lstm, smooth], [0.75, 0.25])
    return {
        "mixture-of-networks": MixtureModel([lstm, gru], [0.5, 0.5]),
        "mixture-of-families": pair,
        "mixture-of-zeros": MixtureModel([models["2-gram-mle"], sparse], [0.5, 0.5]),
        "mixture-of-a-mixture": MixtureModel([gru, pair, sparse], [0.5, 0.3, 0.2]),
        "mixture-of-one": MixtureModel([lstm], [1]),
    }


class TableModel(LanguageModel):
    """Scores the next token by a row of a table (V, V) that the last token chooses."""

    family = "table"

    def __init__(self, probabilities: npt.ArrayLike) -> None:
        with np.errstate(divide="ignore"):
            self._logits = np.log(np.asarray(probabilities)).astype(np.float32)

    @property
    def vocab_size(self) -> int:
        return len(self._logits)

    def initial_state(self, batch: int) -> State:
        return ()

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        return self._logits[tokens], ()

    def config_json(self) -> dict[str, Any]:
        return {}

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        return {"logits": self._logits}

    @classmethod
    def build(
        cls, config: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        return cls(np.exp(tensors["logits"]))


def uniform_model(vocab_size: int) -> TableModel:
    """Return a model to which all tokens are always equally likely."""
    return TableModel(np.full((vocab_size, vocab_size), 1 / vocab_size))


def scripted_model(tokenizer: Tokenizer, script: str) -> TextModel:
    """Return a model that surely writes a text of all different tokens, and ends."""
    ids = tokenizer.encode(script).tolist()
    assert len(set(ids)) == len(ids)
    table = np.full((tokenizer.vocab_size, tokenizer.vocab_size), 1e-30)
    for token, following in zip([0, *ids], [*ids, 0], strict=True):
        table[token, following] = 1
    return TextModel(TableModel(table), tokenizer)
