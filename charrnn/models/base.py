"""The contract of a language model: (state, tokens) to (state, next-token scores).

A recurrent network, an n-gram table and a fixed-window network obey it alike, so that
sampling, scoring and comparing are each written once. NumPy only.

Laws, tested for every model: the softmax sums to one; changing token t leaves the
logits before t alone; a whole sequence gives the same as its pieces with carried
state; a row of a batch gives the same as the row alone.

Shape letters: B batch, T time, V vocabulary.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from charrnn.fields import from_json, to_json
from charrnn.models.families import FAMILIES

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.integer[Any]]
State = tuple[npt.NDArray[Any], ...]


class LanguageModel(ABC):
    """Scores the next token, given a state and the tokens so far."""

    family: ClassVar[str]

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """Number of tokens, V."""

    @property
    def title(self) -> str:
        """How it is called, for people."""
        return self.family

    @property
    def parameters(self) -> int:
        """How many numbers it has learned; of n-grams, how many it has seen."""
        return sum(array.size for array in self.tensors().values())

    @property
    def step_work(self) -> int:
        """Multiplications of a step of one row, to judge whether a thread pays."""
        return self.parameters

    @abstractmethod
    def initial_state(self, batch: int) -> State:
        """Return the state before any token: arrays (B, ...), or ()."""

    @abstractmethod
    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) after each of the tokens (B, T), and the state.

        `logits[:, t]` scores the token after `tokens[:, t]`.
        """

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return p(. | all before) (B, T, V) where `forward` returns its logits.

        In float64, so that what a network thinks unlikely is not 0.
        """
        logits, state = self.forward(tokens, state)
        return softmax(logits), state

    @abstractmethod
    def config_json(self) -> dict[str, Any]:
        """Return the configuration, as JSON values."""

    @abstractmethod
    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return the parameters by name, as a model file keeps them."""

    @classmethod
    @abstractmethod
    def build(
        cls, config: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """Rebuild a model. Raises ValueError where tensors and config disagree."""


class ConfiguredModel(LanguageModel):
    """A model that is a config, one of those in `config.py`, and tensors by name."""

    config_type: ClassVar[type[Any]]

    def __init__(self, config: Any, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self.config = config
        self._tensors = dict(tensors)

    @property
    def vocab_size(self) -> int:
        """Number of tokens, V."""
        return int(self.config.vocab_size)

    @property
    def title(self) -> str:
        """How it is called, for people."""
        return str(self.config.title)

    def config_json(self) -> dict[str, Any]:
        """Return the configuration, as JSON values."""
        return to_json(self.config)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return the parameters by name, as a model file keeps them."""
        return dict(self._tensors)

    @classmethod
    def build(
        cls, config: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]
    ) -> Self:
        """Rebuild a model. Raises ValueError where tensors and config disagree."""
        return cls(from_json(cls.config_type, config), tensors)


def build(
    family: str, config: Mapping[str, Any], tensors: Mapping[str, Any]
) -> LanguageModel:
    """Rebuild a model of a family. Raises ValueError if anything does not fit."""
    if not isinstance(family, str) or family not in FAMILIES:  # a file may hold [1]
        raise ValueError(f"no model family {family!r}; there are {', '.join(FAMILIES)}")
    kind: type[LanguageModel] = FAMILIES[family].model_type
    return kind.build(config, tensors)


def log_softmax(logits: Floats) -> Floats:
    """Return the natural logs of the probabilities, over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(total))


def softmax(logits: Floats) -> Reals:
    """Return the probabilities, over the last axis, in float64."""
    shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
    shares = np.exp(shifted.astype(np.float64))
    shares /= np.add.reduce(shares, axis=-1, keepdims=True)
    return np.asarray(shares)


def token_nats(logits: Floats, tokens: Tokens) -> Floats:
    """Return -ln of the probability of each token, (...), given logits (..., V)."""
    chosen = np.take_along_axis(logits, tokens[..., None], -1)[..., 0]
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1))
    return np.asarray(total - (chosen - top[..., 0]))


def check_names(tensors: Mapping[str, npt.NDArray[Any]], names: Iterable[str]) -> None:
    """Raise ValueError unless the tensors have exactly these names."""
    odd = sorted(set(tensors) ^ set(names))
    if odd:
        raise ValueError(f"tensors missing or not expected: {', '.join(odd[:5])}")


def check_tensors(
    tensors: Mapping[str, npt.NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise ValueError unless the tensors have exactly these names and shapes."""
    check_names(tensors, shapes)
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, not {shape}")
        if tensors[name].dtype.kind != "f":
            raise ValueError(f"{name} holds {tensors[name].dtype}, not real numbers")
