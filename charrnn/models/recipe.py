"""Recipes: pure functions that choose options to suit a corpus and a budget.

A recipe chooses every option that the user did not set, and gives its reasons. It
neither trains nor imports torch, so recipes can be tested on plain numbers. The
measurements behind them are in .readme/defaults.md.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from charrnn.data.batches import are_short
from charrnn.data.store import TokenStore

Given = Mapping[str, Any]

#: a document of at most four windows of this length is short
USUAL_BPTT = 128


@dataclass(frozen=True)
class CorpusStatistics:
    """What a recipe knows about a corpus.

    tokens: number of training tokens that a network reads or predicts. has_long_tokens:
    they are words or subwords. source_size: vocabulary size of the inputs of labelled
    data, else 0. examples: number of documents or labelled examples. longest: the most
    tokens in a labelled example, else 0.
    """

    tokens: int
    vocab_size: int
    has_long_tokens: bool = False
    has_short_documents: bool = False
    source_size: int = 0
    examples: int = 0
    longest: int = 0

    @classmethod
    def of(cls, store: TokenStore) -> Self:
        """Return the statistics of a token store."""
        train = store.train
        return cls(
            train.work_tokens,
            store.vocab_size,
            store.has_long_tokens,
            are_short(train, USUAL_BPTT),
            store.source_size,
            len(train.lengths),
            train.longest_example,
        )

    @property
    def mean_length(self) -> int:
        """The mean number of tokens of an example, rounded up."""
        return -(-self.tokens // max(1, self.examples))


class Recipe(ABC):
    """Fills in the config of a family."""

    @staticmethod
    @abstractmethod
    def sizes(
        data: CorpusStatistics, given: Given, training: Given, device: str
    ) -> tuple[Any, list[str]]:
        """Return a complete config, and a phrase with the reason for each choice.

        given: the fields that the user set. training: the TrainConfig fields that the
        user set.
        """


class GradientRecipe(Recipe):
    """A recipe that also chooses how a network is trained."""

    label_smoothing: ClassVar[float] = 0.0

    @staticmethod
    @abstractmethod
    def windows(data: CorpusStatistics, given: Given) -> dict[str, int]:
        """Return the TrainConfig fields that set the windows: bptt, batch, stages."""

    @staticmethod
    @abstractmethod
    def peak_rate(config: Any, epochs: float) -> float:
        """Return the highest learning rate for a number of epochs."""

    @staticmethod
    @abstractmethod
    def dropout(epochs: float) -> tuple[float, float]:
        """Return the initial and final dropout for a given number of epochs.

        Dropout is low at first, so that it hardly slows learning, and rises as the
        network begins to overfit the text that it rereads (Morerio et al. 2017).
        """

    @staticmethod
    @abstractmethod
    def parameter_shapes(config: Any) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every parameter, in file order."""

    @staticmethod
    def looked_up(config: Any) -> int:
        """Return the number of weights that are looked up instead of multiplied."""
        found: int = config.vocab_size * config.embed
        return found

    @staticmethod
    def steps(config: Any, tokens: int) -> int:
        """Return how many steps the layers take to read an example, at most."""
        return tokens

    @classmethod
    def parameter_count(cls, config: Any) -> int:
        """Return the number of weights."""
        return sum(map(math.prod, cls.parameter_shapes(config).values()))

    @classmethod
    def product_count(cls, config: Any) -> int:
        """Return the number of weights that are multiplied for each token."""
        return cls.parameter_count(config) - cls.looked_up(config)
