"""Readings of a clock, and what is said of them: the median and the spread."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Reading:
    """One round of one measurement: how much of a unit, as "tokens/s" or "s".

    against: names of other measurements of the same unit that it is divided by.
    """

    name: str
    unit: str
    value: float
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """All rounds of a measurement.

    compared: the value as a multiple of each other measurement, by its name.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    compared: dict[str, float]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)

    def to_json(self) -> dict[str, Any]:
        """Return what is said of the rounds, as JSON values."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "rounds": len(self.values),
            "compared": self.compared,
        }


def summarize(readings: Iterable[Reading]) -> list[Measurement]:
    """Return the measurements that the readings belong to, in order of the first.

    A comparison is the median of what it is in each round, for a machine that slows
    down for a while slows both. Raises ValueError if they have not as many rounds.
    """
    rounds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    against: dict[tuple[str, str], tuple[str, ...]] = {}
    for reading in readings:
        key = reading.name, reading.unit
        rounds[key].append(reading.value)
        against[key] = reading.against
    found = []
    for (name, unit), values in rounds.items():
        compared = {
            other: _ratio(values, rounds[other, unit]) for other in against[name, unit]
        }
        found.append(Measurement(name, unit, tuple(values), compared))
    return found


def rate(run: Callable[[], float], least_s: float) -> float:
    """Return how much `run` does a second; it returns how much it did.

    It is called again until `least_s` seconds have passed, at least once.
    """
    done = elapsed = 0.0
    began = perf_counter()
    while elapsed < least_s or not done:
        done += run()
        elapsed = perf_counter() - began
    return done / elapsed


def _ratio(values: list[float], others: list[float]) -> float:
    pairs = zip(values, others, strict=True)
    return statistics.median(value / other for value, other in pairs)
