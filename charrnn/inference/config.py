"""How the next token is drawn."""

import math
from dataclasses import dataclass

from charrnn.errors import UsageError
from charrnn.fields import at_least, whole


@dataclass(frozen=True)
class SampleConfig:
    """How the next token is drawn; the filters apply in the order of the fields.

    temperature 0 is greedy. top_k 0, top_p 1 and min_p 0 switch a filter off.
    length 0 means: until the end.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    length: int = 500
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.temperature != math.inf:  # which makes all tokens equal
            at_least("--temp", self.temperature, 0)
        whole("--top-k", self.top_k)
        whole("--length", self.length)
        if not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p is {self.top_p}, not in (0, 1]")
        if not 0 <= self.min_p <= 1:
            raise UsageError(f"--min-p is {self.min_p}, not in [0, 1]")
        if isinstance(self.stop, str):  # its characters would be stops
            raise UsageError(
                f"stop is the text {self.stop!r}, not a tuple of texts",
                hint=f"stop=({self.stop!r},)",
            )
        if not all(self.stop):
            raise UsageError("--stop is empty", hint="give the text to stop at")
