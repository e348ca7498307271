"""The order and the smoothing of an n-gram model."""

from dataclasses import dataclass
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import option
from charrnn.models.options import check_sizes, order_option

SMOOTHINGS: Final = ("kneser-ney", "addk", "mle")
MIN_K: Final = 1e-30  #: ensures that no probability is 0 in float32
MAX_K: Final = 1e30


@dataclass(frozen=True)
class NgramConfig:
    """The order and the smoothing of an n-gram model. `k` is only for addk."""

    vocab_size: int
    order: int = order_option(7, at_least=1)
    smoothing: str = option(
        "kneser-ney",
        choices=SMOOTHINGS,
        help="Smoothing: interpolated modified Kneser-Ney, add-k, or none (mle).",
    )
    k: float = option(
        1.0,
        at_least=MIN_K,
        at_most=MAX_K,
        help=f"Number that addk adds to every count, from {MIN_K:g} to {MAX_K:g}.",
    )

    def __post_init__(self) -> None:
        check_sizes(self, "vocab_size")
        if self.k != 1 and self.smoothing != "addk":
            raise UsageError(
                f"`k` is {self.k:g}, but `smoothing` is {self.smoothing}",
                hint="`k` is only for `smoothing` addk",
            )

    @property
    def title(self) -> str:
        """The model's name in messages, such as "7-gram kneser-ney"."""
        k = f" {self.k:g}" if self.smoothing == "addk" else ""
        return f"{self.order}-gram {self.smoothing}{k}"
