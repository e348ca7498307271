"""The contract of a task: examples to batches, and predictions to metrics.

All tasks share one loss, the cross-entropy of the targets that are not IGNORE. So
gradients, micro-batches, clipping, averaging and resuming are written once.
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
    """How well a part was predicted. Metrics add up, over batches and over parts."""

    def __add__(self, other: Self) -> Self:
        """Return the metrics of both."""

    @property
    def loss_nats(self) -> float:
        """What decides which model is the best: the mean nats per target."""

    @property
    def headline(self) -> tuple[str, float]:
        """What is shown: a unit and its value."""

    def to_json(self) -> dict[str, Any]:
        """Return what is reported of a validation; None stands for infinity."""


class Task(ABC):
    """What a model predicts from what."""

    name: ClassVar[str]
    families: ClassVar[tuple[str, ...]]  #: that can be trained for it

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
        """Return the metrics of a part; nats: -ln p of its targets, (N,)."""
