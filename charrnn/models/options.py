"""Options that several model families share, each defined once."""

from typing import Final

from charrnn.fields import option

MAX_ORDER: Final = 64  #: far above any useful order, but small enough to loop over


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
