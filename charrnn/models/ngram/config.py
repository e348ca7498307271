"""What an n-gram model counts, and how it smooths."""

from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import at_least, one_of

SMOOTHINGS: Final = ("kneser-ney", "addk", "mle")

MOST_ORDER: Final = 64  #: far above what pays, and a loop over orders ends

LEAST_K: Final = 1e-30  #: with it no probability of addk is 0 in float32

MOST_K: Final = 1e30


@dataclass(frozen=True)
class NgramConfig:
    """What an n-gram model counts, and how it smooths; `k` is for addk only."""

    vocab_size: int
    order: int = 7
    smoothing: str = "kneser-ney"
    k: float = 1.0

    def __post_init__(self) -> None:
        at_least("--vocab-size", self.vocab_size, 1)
        check_order("--order", self.order, 1)
        one_of("--smoothing", self.smoothing, SMOOTHINGS)
        if not LEAST_K <= self.k <= MOST_K:
            raise UsageError(f"--k is {self.k}, not from {LEAST_K:g} to {MOST_K:g}")

    @property
    def title(self) -> str:
        """How a model is called: 7-gram kneser-ney."""
        k = f" {self.k:g}" if self.smoothing == "addk" else ""
        return f"{self.order}-gram {self.smoothing}{k}"


def check_order(option: str, value: int, least: int) -> None:
    at_least(option, value, least)
    if value > MOST_ORDER:
        raise UsageError(f"{option} is {value:,}, above {MOST_ORDER}")
