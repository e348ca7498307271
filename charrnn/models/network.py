"""What training requires of a network: a torch module with a state and logits.

A network is the twin of a NumPy model: its `state_dict` has the names and shapes of the
model file, so trained weights become a NumPy model without any conversion.

Shape letters: B batch, T time, V vocabulary.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from charrnn.data.store import Part
from charrnn.fields import to_json
from charrnn.models import CELLS
from charrnn.models.base import LanguageModel, build
from charrnn.models.encoder.network import Encoder
from charrnn.models.layers import LayerState, Masks
from charrnn.tokenizers.base import BOUNDARY, Ids

#: above this size, bfloat16 pays off for the output matrix
WIDE_VOCABULARY: Final = 1024

Shapes = dict[str, tuple[int, ...]]


class Network(nn.Module, ABC):
    """A language model that can be trained."""

    family: ClassVar[str]
    config: Any
    head: nn.Module

    @staticmethod
    @abstractmethod
    def parameter_shapes(config: Any) -> Shapes:
        """Return the name and shape of every parameter, in file order."""

    @abstractmethod
    def initial_state(self, batch: int) -> LayerState:
        """Return the state before any token: arrays (B, ...)."""

    @abstractmethod
    def forward(
        self, tokens: Tensor, state: LayerState, masks: Masks = None
    ) -> tuple[Tensor, LayerState]:
        """Return the logits (T, B, V) after tokens (T, B), and the new state.

        masks: a dropout mask (B, width) for each width in `masked`.
        """

    @property
    @abstractmethod
    def masked(self) -> Sequence[int]:
        """The widths of the outputs that dropout masks."""

    def learn(self, part: Part) -> None:  # noqa: B027 - most networks need nothing
        """Set values that gradient descent does not learn, from the training part."""

    def initial_values(
        self, name: str, shape: tuple[int, ...], generator: torch.Generator
    ) -> Tensor:
        """Return the initial values of a parameter, which depend on its name."""
        layer, _, kind = name.rpartition(".")
        if kind == "weight_hh":
            # orthogonal for each gate, to keep the state's norm (Saxe et al. 2014)
            gates = torch.empty(shape).chunk(shape[0] // shape[1])
            return torch.cat(
                [nn.init.orthogonal_(g, generator=generator) for g in gates]
            )
        if kind == "bias_ih":
            cell = CELLS[self.config.cell]
            by_gate = torch.zeros(cell.gates, shape[0] // cell.gates)
            for gate, value in cell.initial_bias.items():
                by_gate[gate] = value
            return by_gate.flatten()
        if "norms" in layer.split(".") and kind == "weight":
            return torch.ones(shape)
        if len(shape) == 1:
            return torch.zeros(shape)
        if name == "embedding.weight":
            return torch.empty(shape).normal_(0, 1, generator=generator)
        bound = 1 / math.sqrt(shape[1])
        return torch.empty(shape).uniform_(-bound, bound, generator=generator)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> None:
        """Draw the initial values of all parameters, in the order of the file."""
        for name, weight in self.weights().items():
            shape = tuple(weight.shape)
            weight.copy_(self.initial_values(name, shape, generator))

    def weights(self) -> dict[str, nn.Parameter]:
        """Return the parameters by name, in the order of the model file."""
        named = dict(self.named_parameters())
        return {name: named[name] for name in self.parameter_shapes(self.config)}

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return a copy of the parameters by name, as a model file stores them."""
        found = self.weights().items()
        return {name: x.detach().float().cpu().numpy().copy() for name, x in found}

    def load(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Set every parameter. Raises ValueError if names or shapes do not match."""
        values = {name: torch.from_numpy(np.array(x)) for name, x in tensors.items()}
        try:
            self.load_state_dict(values)
        except RuntimeError as error:
            raise ValueError(str(error).splitlines()[-1].strip()) from error

    def model(self) -> LanguageModel:
        """Return a NumPy model with the current weights."""
        return build(self.family, to_json(self.config), self.tensors())

    def _logits(self, outputs: Tensor) -> Tensor:
        """Return the logits of outputs, in float32 unless the vocabulary is wide."""
        if self.config.vocab_size > WIDE_VOCABULARY:
            return self._head(outputs)
        with torch.autocast(outputs.device.type, enabled=False):
            return self._head(outputs.to(next(self.parameters()).dtype))

    def _head(self, outputs: Tensor) -> Tensor:
        """Return the logits (T, B, V) of the last layer's outputs."""
        logits: Tensor = self.head(outputs)
        return logits


class ConditionalNetwork(Network):
    """A network that predicts an output from an input, which it reads first.

    It is the twin of a `models.base.ConditionalModel`. Shape letter: S source time.
    """

    @abstractmethod
    def read(self, source: Ids, lengths: Ids, masks: Masks = None) -> LayerState:
        """Return the state before the first output token.

        source: (S, B), padded at the end. lengths: the number of tokens in each column,
        (B,). Both are in main memory; the network moves the arrays that it needs to its
        device. masks: the same as for `forward`.
        """

    @property
    @abstractmethod
    def reader(self) -> tuple[nn.Embedding, Encoder]:
        """The embedding of input tokens, and the encoder that reads them."""

    @torch.no_grad()
    def start_as(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Initialize the encoder with the weights of a recurrent language model.

        tensors: the tensors of its model file. Its vocabulary is that of the inputs.
        """
        embedding, encoder = self.reader
        found = torch.from_numpy(np.array(tensors["embedding.weight"]))
        embedding.weight.copy_(found)
        encoder.start_as(tensors)

    def decisions(self, logits: Tensor, state: LayerState) -> Tensor:
        """Return the most likely output tokens, (T, B), each after the right tokens.

        logits: (T, B, V), after the right tokens. state: the result of `read`.
        """
        return logits.argmax(-1)

    def initial_state(self, batch: int) -> LayerState:
        """Return the state after empty inputs, which consist of just a boundary."""
        source = np.full((1, batch), BOUNDARY)
        return self.read(source, np.ones(batch, np.int64))


class Linear(nn.Linear):
    """A linear layer whose parameters have not been initialized yet.

    torch's `skip_init` does the same, but imports 800 modules, which takes a second.
    """

    def reset_parameters(self) -> None:
        """Draw nothing."""


class Embedding(nn.Embedding):
    """An embedding whose parameters have not been initialized yet."""

    def reset_parameters(self) -> None:
        """Draw nothing."""
