"""The sizes, the smoothing and the weights of a naive Bayes model."""

import math
from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.models.options import check_sizes

SMOOTHINGS: Final = (1.0, 0.3, 0.1, 0.03, 0.01)


@dataclass(frozen=True)
class BayesConfig:
    """The sizes, and values that are fitted to the counts; a user sets none of them.

    vocab_size: number of label ids. source_size: number of input ids. between: the text
    between two tokens, such as a blank between symbols. smoothing: number added to each
    count. weights: the weight of the prior and of each kind of n-gram.
    """

    vocab_size: int
    source_size: int
    between: str = ""
    smoothing: float = 1.0
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size", "source_size")
        if not all(map(math.isfinite, (self.smoothing, *self.weights))):
            raise UsageError("the smoothing or a weight is not finite")
        if self.smoothing < min(SMOOTHINGS):
            raise UsageError(f"the smoothing is {self.smoothing:g}, which is too small")

    @property
    def title(self) -> str:
        """The model's name in messages."""
        return "naive Bayes"
