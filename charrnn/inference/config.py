"""Sampling options."""

from dataclasses import dataclass
from numbers import Integral
from typing import Final

from charrnn.errors import UsageError
from charrnn.fields import check, option

DRAWING: Final = "Drawing"


@dataclass(frozen=True)
class SampleConfig:
    """How to draw the next token. Filters are applied in the order of the fields."""

    temperature: float = option(
        1.0,
        at_least=0,
        has_infinity=True,
        group=DRAWING,
        flags=("--temp", "--temperature", "-t"),
        help="Values below 1 make text more predictable, above 1 more random; 0 always "
        "takes the likeliest token, and inf makes all tokens equally likely.",
    )
    top_k: int = option(
        0,
        at_least=0,
        group=DRAWING,
        help="Draw only from the K likeliest tokens; 0 turns this off.",
    )
    top_p: float = option(
        1.0,
        above=0,
        at_most=1,
        group=DRAWING,
        help="Draw only from the smallest set of tokens with this total probability, "
        "in (0, 1]; 1 turns this off.",
    )
    min_p: float = option(
        0.0,
        at_least=0,
        at_most=1,
        group=DRAWING,
        help="Draw only from tokens at least this fraction as likely as the likeliest "
        "one, in [0, 1]; 0 turns this off.",
    )
    length: int = option(
        500,
        at_least=0,
        group=DRAWING,
        flags=("--length", "-l"),
        help="Maximum number of new tokens; 0 means no limit.",
    )
    stop: tuple[str, ...] = option(
        (), group=DRAWING, help="Stop after this text; repeatable."
    )

    def __post_init__(self) -> None:
        if isinstance(self.stop, str):  # would make each character a stop text
            raise UsageError(
                f"`stop` is the string {self.stop!r}, not a tuple of strings",
                hint=f"stop=({self.stop!r},)",
            )
        check(self)
        for name in ("top_k", "length"):
            if not isinstance(value := getattr(self, name), Integral):
                raise UsageError(f"`{name}` is {value!r}, not a whole number")
        if not all(self.stop):
            raise UsageError("`stop` is empty", hint="give the text to stop after")
