"""The interface of tasks: a task makes batches from texts and measures predictions.

All tasks share one loss: the cross-entropy of the targets that are not IGNORE.
Gradients, micro-batches, clipping, averaging and resuming are therefore implemented
only once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from charrnn.data.batches import Batch, Batches
from charrnn.data.config import CorpusConfig
from charrnn.data.store import Part, Survey, TokenStore
from charrnn.inference.scoring import Nats
from charrnn.inference.text_model import TextModel
from charrnn.text.characters import one_line
from charrnn.text.sources import Source
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers


class Metrics(Protocol):
    """How well a model predicts a part of the data."""

    @property
    def loss_nats(self) -> float:
        """The mean nats per target."""

    @property
    def criterion(self) -> float:
        """The number by which models are compared; lower is better."""

    def to_json(self) -> dict[str, Any]:
        """Return the values to report for a validation; None stands for infinity."""


class Data(Protocol):
    """The texts or examples to train on."""

    @property
    def layout(self) -> dict[str, Any] | None:
        """Format, columns and header of labelled data, as JSON values."""

    def survey(self) -> Survey:
        """Return the size and the hash of the data."""

    def preview(self) -> list[str]:
        """Return lines that show how the files were understood, before training."""


Stop = Callable[[], bool]
D = TypeVar("D", bound=Data)


class Task(ABC, Generic[D]):
    """A kind of prediction that models can be trained for."""

    name: ClassVar[str]
    unit: ClassVar[str] = "document"  #: what the data consists of
    loss_unit: ClassVar[str] = "nats/token"  #: the unit in which a loss is shown
    temperature: ClassVar[float] = 0.0  #: the temperature of samples
    reads: ClassVar[str] = "output"  #: the tokenizer of the texts a model reads
    format: ClassVar[str] = "tsv"  #: the format of predictions for plain text
    shows_p: ClassVar[bool] = False  #: whether an output is shown with its probability

    @staticmethod
    def per_nat(part: Part) -> float:
        """Return the factor that converts a part's nats per token to the loss unit."""
        return 1.0

    @staticmethod
    @abstractmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Describe metrics, which are given as `Metrics.to_json` returns them."""

    @staticmethod
    @abstractmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Describe only the most important of these metrics."""

    @abstractmethod
    def data(
        self,
        sources: Sequence[Source],
        config: CorpusConfig,
        *,
        valid_sources: Sequence[Source],
        raw: bool,
    ) -> D:
        """Return the texts or examples in files. raw: accept any bytes."""

    @abstractmethod
    def tokenizers(
        self, data: D, wanted: Mapping[str, Any], given: Mapping[str, Tokenizer]
    ) -> Tokenizers:
        """Return the tokenizers, fitted on the training part.

        wanted: the fields of TokenizerConfig that the user has set. given: tokenizers
        to use unchanged, by their field names in `Tokenizers`.
        """

    @abstractmethod
    def parts(self, data: D, tokenizers: Tokenizers, folder: Path) -> TokenStore:
        """Write the training and validation parts to disk. Raises TextError."""

    def next_command(self, run: str, part: Part, tokenizers: Tokenizers) -> str:
        """Return a command that the user can try the model of a run with.

        part: the validation part.
        """
        return f"charrnn sample -m {run} --temp 0.8"

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the fields of the family's config that follow from the data."""
        return {}

    @staticmethod
    def prepared(text: str) -> str:
        """Return an input in the form that models read."""
        return text

    @staticmethod
    def shown(source: str, output: str) -> str:
        """Format an output on one line, for people. source: its input."""
        return one_line(output)

    @classmethod
    def paired(cls, source: str, output: str) -> str:
        """Format an input and its output on one line."""
        return f"{one_line(source)} -> {cls.shown(source, output)}"

    @staticmethod
    def listed(output: str) -> str | list[str]:
        """Return an output as a JSON value."""
        return output

    def baseline(
        self, store: TokenStore, tokenizers: Tokenizers, stop: Stop
    ) -> dict[str, Any] | None:
        """Return the name and metrics of a model that only counts the same data.

        The result is None if the data are too large to count quickly. Raises
        StoppedError if `stop()` becomes true before the end.
        """
        return None

    def sizes_like(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sizes that let a new model start with another model's weights.

        model: the config of the other model.
        """
        return dict(model)

    @abstractmethod
    def training(self, part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
        """Return the training batches, a pure function of the step."""

    @abstractmethod
    def validation(self, part: Part) -> Iterator[list[Batch]]:
        """Yield groups of batches that together contain every target once.

        State is carried within a group.
        """

    @abstractmethod
    def measure(
        self, nats: Nats, part: Part, best: Ids | None, output: Tokenizer
    ) -> Metrics:
        """Return the metrics of a part.

        nats: -ln p of each target, (N,), in the order of the validation batches. best:
        the most likely token at the position of each target, if the model reads inputs.
        output: the tokenizer of the outputs.
        """

    def calibrated(self, model: TextModel, part: Part) -> TextModel:
        """Return the model with its probabilities calibrated on a part, if possible."""
        return model

    @abstractmethod
    def sample(self, model: TextModel, part: Part, step: int) -> str:
        """Return a text that shows what a model can do at a training step.

        The text depends only on the arguments.
        """


def loss(values: Mapping[str, Any], unit: str) -> str:
    """Format the loss among the metrics for the end of a phrase; "" if unknown."""
    nats = values["nats_per_token"]
    return "" if nats is None else f", {nats:.3f} {unit}"


def figure(value: float | None, decimals: int = 3) -> str:
    """Format a metric. None, which stands for infinity in JSON, becomes inf."""
    return "inf" if value is None else f"{value:.{decimals}f}"
