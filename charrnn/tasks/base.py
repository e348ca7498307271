"""The interface of a task, which makes batches from texts and measures predictions.

All tasks share one loss: the cross-entropy of the targets that are not IGNORE. So
gradients, micro-batches, clipping, averaging and resuming are implemented only once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from charrnn.data.batches import Batch, Batches
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, TokenStore
from charrnn.inference.scoring import Nats
from charrnn.tokenizers.base import Tokenizer


class Metrics(Protocol):
    """How well a part was predicted; metrics can be added over batches and parts."""

    def __add__(self, other: Self) -> Self:
        """Return the combined metrics of both."""

    @property
    def loss_nats(self) -> float:
        """The mean nats per target, by which the best model is chosen."""

    @property
    def headline(self) -> tuple[str, float]:
        """The unit and the value to show to the user."""

    def to_json(self) -> dict[str, Any]:
        """Return the values to report for a validation; None stands for infinity."""


class Task(ABC):
    """A kind of prediction that models can be trained for."""

    name: ClassVar[str]
    families: ClassVar[tuple[str, ...]]  #: the families that can learn this task

    @abstractmethod
    def parts(self, corpus: Corpus, tokenizer: Tokenizer, folder: Path) -> TokenStore:
        """Write the training and validation parts to disk. Raises TextError."""

    @abstractmethod
    def training(self, part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
        """Return the training batches, a pure function of the step."""

    @abstractmethod
    def validation(self, part: Part) -> Iterator[list[Batch]]:
        """Yield groups of batches that predict every target once.

        State is carried within a group.
        """

    @abstractmethod
    def measure(self, nats: Nats, part: Part) -> Metrics:
        """Return the metrics of a part.

        nats: -ln p of each target, (N,).
        """
