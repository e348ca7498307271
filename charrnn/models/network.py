"""What training asks of a network: parameters by name, a state, and logits.

A network is the twin of a model in `models/`: its parameters have the same names and
shapes, so that what is trained here is a model file there without any translation.

Shape letters: B batch, T time, V vocabulary.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from charrnn.data.store import TokenStore
from charrnn.fields import to_json
from charrnn.models import base as models
from charrnn.models.base import LanguageModel
from charrnn.models.layers import LayerState

# above this the output matrix costs enough to be worth bfloat16's rounding
WIDE_VOCABULARY = 1024


class Network(nn.Module, ABC):
    """A language model that can be trained, and what is best for training it."""

    family: ClassVar[str]

    def __init__(self, config: Any, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        shapes = self.parameter_shapes(config)
        # a parameter's name may not hold the dot that a file's names do
        self._names = {name: name.replace(".", "__") for name in shapes}
        for name, shape in shapes.items():
            values = self.initial_values(name, shape, config, generator)
            self.register_parameter(self._names[name], nn.Parameter(values))

    @staticmethod
    @abstractmethod
    def parameter_shapes(config: Any) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every parameter, as the model file has them."""

    @abstractmethod
    def initial_state(self, batch: int) -> LayerState:
        """Return the state before any token: arrays (B, ...)."""

    @abstractmethod
    def forward(
        self,
        tokens: Tensor,
        state: LayerState,
        masks: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the state.

        masks: a dropout mask for each of `masked`, (B, its width).
        """

    @abstractmethod
    def _head(self, outputs: Tensor) -> Tensor:
        """Return the logits (T, B, V) of what the last layer gives."""

    @property
    @abstractmethod
    def masked(self) -> Sequence[int]:
        """The widths of the outputs that dropout masks."""

    @staticmethod
    @abstractmethod
    def choose(
        store: TokenStore,
        given: Mapping[str, Any],
        training: Mapping[str, Any],
        *,
        device: str,
    ) -> tuple[Any, list[str]]:
        """Complete a config; return also why, in phrases.

        given, training: the fields of the config and of TrainConfig that are known.
        """

    @staticmethod
    @abstractmethod
    def choose_windows(store: TokenStore, given: Mapping[str, Any]) -> dict[str, int]:
        """Return how many tokens a step reads: `bptt`, `batch`, `stages`."""

    @staticmethod
    @abstractmethod
    def peak_rate(config: Any, epochs: float) -> float:
        """Return the highest learning rate of so many epochs."""

    @staticmethod
    @abstractmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the dropout to begin and to end so many epochs with.

        A start that hardly slows learning, as what was read often is learned by heart
        (Morerio et al. 2017).
        """

    @staticmethod
    @abstractmethod
    def probe(config: Any, batch: int) -> Callable[[], Tensor]:
        """Return what computes as a step does, in little time, to find the threads."""

    @classmethod
    def initial_values(
        cls, name: str, shape: tuple[int, ...], config: Any, generator: torch.Generator
    ) -> Tensor:
        """Return the values that a parameter has before training."""
        if len(shape) == 1:
            return torch.zeros(shape)
        if name == "embedding.weight":
            return torch.empty(shape).normal_(0, 1, generator=generator)
        bound = 1 / math.sqrt(shape[1])
        return torch.empty(shape).uniform_(-bound, bound, generator=generator)

    @classmethod
    def parameter_count(cls, config: Any) -> int:
        """Return the number of weights."""
        return sum(map(math.prod, cls.parameter_shapes(config).values()))

    @classmethod
    def product_count(cls, config: Any) -> int:
        """Return the number of weights that a token is multiplied with."""
        # to look up an embedding is no product
        looked_up: int = config.vocab_size * config.embed
        return cls.parameter_count(config) - looked_up

    def parameter(self, name: str) -> nn.Parameter:
        """Return a parameter by its name in the model file."""
        return self.get_parameter(self._names[name])

    def named(self) -> dict[str, nn.Parameter]:
        """Return the parameters by their names in the model file."""
        return {name: self.parameter(name) for name in self._names}

    def tensors(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return a copy of the parameters as a model file keeps them."""
        arrays = {n: p.detach().float().cpu().numpy() for n, p in self.named().items()}
        return {name: array.copy() for name, array in arrays.items()}

    def load(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Set every parameter. Raises ValueError where shapes disagree."""
        with torch.no_grad():
            for name, parameter in self.named().items():
                values = torch.from_numpy(np.array(tensors[name]))
                if values.shape != parameter.shape:
                    raise ValueError(f"{name} has another shape here")
                parameter.copy_(values)

    def model(self) -> LanguageModel:
        """Return the model that says what this network says, in NumPy."""
        return models.build(self.family, to_json(self.config), self.tensors())

    def _logits(self, outputs: Tensor) -> Tensor:
        """Return the logits of outputs, in float32 unless there are many."""
        if self.config.vocab_size > WIDE_VOCABULARY:
            return self._head(outputs)
        with torch.autocast(outputs.device.type, enabled=False):
            return self._head(outputs.to(self.parameter("head.bias").dtype))
