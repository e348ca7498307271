"""`charrnn train`: a placeholder until training is there."""

from charrnn.errors import UsageError


def train() -> None:
    """Train a model on a corpus."""
    raise UsageError("charrnn train is not there yet")
