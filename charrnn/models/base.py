"""The contract of a language model: (tokens, state) to (next-token logits, state).

All families implement it, so sampling, scoring and comparing are each written once.
This file uses only NumPy.

These laws are tested for every model: probabilities sum to one; changing token t does
not change the logits before t; splitting a sequence and carrying the state gives the
same result; and a row of a batch gives the same result as that row alone.

Shape letters: B batch, T time, V vocabulary.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt

from charrnn.fields import from_json, to_json
from charrnn.models.families import FAMILIES
from charrnn.tokenizers.base import BOUNDARY, Ids

Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.float64]
Tokens = npt.NDArray[np.integer[Any]]
State = tuple[npt.NDArray[Any], ...]
Tensors = Mapping[str, npt.NDArray[Any]]
Shapes = Mapping[str, tuple[int, ...]]
T = TypeVar("T")


class LanguageModel(ABC):
    """Predicts the next token from the tokens so far."""

    family: ClassVar[str]

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """Number of tokens, V."""

    @property
    def source_size(self) -> int:
        """Vocabulary size of the inputs, 0 for a model that reads none."""
        return 0

    @property
    def title(self) -> str:
        """The model's name in messages."""
        return self.family

    @property
    def parameters(self) -> int:
        """Number of parameters; for n-gram models, the number of distinct n-grams."""
        return sum(array.size for array in self.tensors().values())

    @property
    def step_work(self) -> int:
        """Multiplications per token; they decide whether another thread pays off."""
        return self.parameters

    @abstractmethod
    def initial_state(self, batch: int) -> State:
        """Return the state before any token: a tuple of arrays (B, ...)."""

    @abstractmethod
    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state, given tokens (B, T).

        `logits[:, t]` scores the token after `tokens[:, t]`.
        """

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return the probabilities (B, T, V) and the new state.

        They are float64, so that a very unlikely token does not get probability 0.
        """
        logits, state = self.forward(tokens, state)
        return softmax(logits), state

    @abstractmethod
    def config_json(self) -> dict[str, Any]:
        """Return the configuration as JSON values."""

    @abstractmethod
    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return the parameters by name, as a model file stores them."""

    @classmethod
    @abstractmethod
    def build(cls, config: Mapping[str, Any], tensors: Tensors) -> Self:
        """Rebuild a model. Raises ValueError if tensors and config do not match."""


class ConfiguredModel(LanguageModel):
    """A model that consists of a config dataclass and named tensors."""

    config_type: ClassVar[type[Any]]

    def __init__(self, config: Any, tensors: Tensors) -> None:
        self.config = config
        self._tensors = dict(tensors)

    @property
    def vocab_size(self) -> int:
        """The vocabulary size of the config."""
        return int(self.config.vocab_size)

    @property
    def source_size(self) -> int:
        """The vocabulary size of the inputs in the config, 0 if there are none."""
        return int(getattr(self.config, "source_size", 0))

    @property
    def title(self) -> str:
        """The title of the config."""
        return str(self.config.title)

    def config_json(self) -> dict[str, Any]:
        """Return the configuration as JSON values."""
        return to_json(self.config)

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return a copy of the dictionary of tensors."""
        return dict(self._tensors)

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Tensors) -> Self:
        """Rebuild a model from its config and tensors."""
        return cls(from_json(cls.config_type, config), tensors)


class ConditionalModel(LanguageModel):
    """A model of outputs given an input: a language model that reads the input first.

    Outputs are therefore sampled, scored and searched for like any text. Shape letter:
    S source time.
    """

    @abstractmethod
    def read(self, source: Tokens, lengths: Tokens) -> State:
        """Return the state before the first output token.

        source: (B, S), padded at the end. lengths: the number of tokens in each row,
        (B,), at least one.
        """

    def initial_state(self, batch: int) -> State:
        """Return the state after empty inputs, which consist of just a boundary."""
        source = np.full((batch, 1), BOUNDARY)
        return self.read(source, np.ones(batch, np.int64))


def padded(sources: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Return inputs as rows (B, S) and their lengths; empty inputs get a boundary."""
    lengths = np.array([max(1, len(source)) for source in sources])
    rows = np.full((len(sources), lengths.max()), BOUNDARY)
    for row, source in zip(rows, sources, strict=True):
        row[: len(source)] = source
    return rows, lengths


def build(family: str, config: Mapping[str, Any], tensors: Tensors) -> LanguageModel:
    """Rebuild a model of a family. Raises ValueError if its parts do not match."""
    if not isinstance(family, str) or family not in FAMILIES:  # JSON may contain a list
        known = ", ".join(FAMILIES)
        raise ValueError(f"unknown model family {family!r}; choose from {known}")
    kind: type[LanguageModel] = FAMILIES[family].model_type
    return kind.build(config, tensors)


def log_softmax(logits: Floats) -> Floats:
    """Return the log-probabilities over the last axis, in nats."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(total))


def softmax(logits: Floats) -> Reals:
    """Return the probabilities over the last axis, in float64."""
    shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
    shares = np.exp(shifted.astype(np.float64))
    shares /= np.add.reduce(shares, axis=-1, keepdims=True)
    return np.asarray(shares)


def token_nats(logits: Floats, tokens: Tokens) -> Floats:
    """Return -ln p of each token, (...), given logits (..., V)."""
    chosen = np.take_along_axis(logits, tokens[..., None], -1)[..., 0]
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1))
    return np.asarray(total - (chosen - top[..., 0]))


def float_tensors(
    config: Any, tensors: Tensors, shapes_of: Callable[[Any], Shapes]
) -> dict[str, Floats]:
    """Return tensors in float32. Raises ValueError unless they fit a config."""
    # checked first, because a file could claim to have a billion layers
    if (layers := getattr(config, "layers", 0)) > len(tensors):
        raise ValueError(f"{layers:,} layers need more than {len(tensors)} tensors")
    check_tensors(tensors, shapes_of(config))
    return {name: np.asarray(x, np.float32) for name, x in tensors.items()}


def under(prefix: str, tensors: Mapping[str, T]) -> dict[str, T]:
    """Return the tensors whose names start with a prefix; remove the prefix."""
    found = tensors.items()
    return {n.removeprefix(prefix): x for n, x in found if n.startswith(prefix)}


def check_names(tensors: Tensors, names: Iterable[str]) -> None:
    """Raise ValueError unless the tensors have exactly these names."""
    if odd := sorted(set(tensors) ^ set(names)):
        raise ValueError(f"missing or unexpected tensors: {', '.join(odd[:5])}")


def check_tensors(tensors: Tensors, shapes: Shapes) -> None:
    """Raise ValueError unless the tensors have exactly these names and shapes."""
    check_names(tensors, shapes)
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, not {shape}")
        if tensors[name].dtype.kind != "f":
            raise ValueError(f"{name} is {tensors[name].dtype}, not floating point")
