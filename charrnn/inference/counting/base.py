"""The interface of predictors that only count."""

from collections.abc import Sequence
from typing import Protocol


class TextCounter(Protocol):
    """Predicts texts from texts, after counting examples."""

    title: str

    def predict(self, sources: Sequence[str]) -> list[str]:
        """Return a target for each source."""
