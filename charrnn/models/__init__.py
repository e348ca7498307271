"""Language models for inference, NumPy only: what trained tensors say."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from charrnn.models.base import (
    LanguageModel,
    State,
    log_softmax,
    token_nats,
)

__all__ = [
    "REGISTRY",
    "LanguageModel",
    "State",
    "build",
    "log_softmax",
    "token_nats",
]

# family -> module:class
REGISTRY = {
    "recurrent": "charrnn.models.recurrent:RecurrentModel",
    "window": "charrnn.models.window:WindowModel",
    "ngram": "charrnn.models.ngram:NgramModel",
    "mixture": "charrnn.models.mixture:MixtureModel",
}


def build(
    family: str, config: Mapping[str, Any], tensors: Mapping[str, Any]
) -> LanguageModel:
    """Rebuild a model of a family. Raises ValueError if anything does not fit."""
    if not isinstance(family, str) or family not in REGISTRY:  # a file may say [1]
        raise ValueError(f"no model family {family!r}; there are {', '.join(REGISTRY)}")
    module, name = REGISTRY[family].split(":")
    kind: type[LanguageModel] = getattr(import_module(module), name)
    return kind.build(config, tensors)
