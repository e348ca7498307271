"""Options that several model families share, each defined once."""

from typing import Any, Final

from charrnn.errors import UsageError
from charrnn.fields import check, option
from charrnn.models import CELLS

MAX_ORDER: Final = 64  #: far above any useful order, but small enough to loop over


def check_sizes(config: Any, *names: str) -> None:
    """Raise UsageError for an invalid option, or a size below 1."""
    check(config)
    for name in names:
        if (size := getattr(config, name)) < 1:
            raise UsageError(f"`{name}` is {size}, less than 1")


def cell_option() -> str:
    """Return the field for the recurrent cell."""
    return option("lstm", choices=CELLS, metavar="NAME", help="Type of recurrent cell.")


def layers_option() -> int:
    """Return the field for the number of layers."""
    return option(1, at_least=1, help="Number of stacked layers.")


def norm_option() -> bool:
    """Return the field for layer norms."""
    return option(True, off="--no-norm", help="Normalize each layer's output.")


def one_way_option() -> bool:
    """Return the field for the directions in which an encoder reads."""
    return option(False, help="Read the input from left to right only.")


def hidden_option() -> int:
    """Return the field for the number of units per layer."""
    return option(
        512,
        at_least=1,
        shown="chosen from corpus size and time budget",
        help="Number of units per layer.",
    )


def embed_option(default: int, at_least: int = 0) -> int:
    """Return the field for the size of the embedding."""
    return option(
        default,
        at_least=at_least,
        shown="chosen from the vocabulary size",
        help="Embedding size; 0 means one-hot input.",
    )


def order_option(default: int, at_least: int) -> int:
    """Return the field for the length of a window or n-gram."""
    return option(
        default,
        at_least=at_least,
        at_most=MAX_ORDER,
        shown="chosen from the corpus",
        help=f"Tokens per window or n-gram, including the predicted token; up to "
        f"{MAX_ORDER}.",
    )
