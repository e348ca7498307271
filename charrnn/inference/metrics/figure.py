"""A figure for a test set, such as accuracy, with a 95% bootstrap interval.

Each example contributes a row of K statistics, such as (is correct, 1). The figure for
a test set is a function of the sums of these rows, never a mean of figures per example.
Therefore a bootstrap over examples (Koehn 2004) needs only weighted sums: examples are
drawn with replacement, RESAMPLES times, and the figure is computed for each resample.

Examples are divided at random into at most MAX_GROUPS groups, and whole groups are
drawn. This does not change the expected width of the interval, but makes the time
independent of the size of the test set.

Repeated examples in resamples bias some figures: macro F1 drops because rare labels
disappear, and the calibration error rises. The interval is shifted by the mean bias, so
that it surrounds the figure. If all examples have the same value, as with a perfect
score, the interval has zero width.

Letters: N examples, K statistics, G groups, R resamples.
"""

from collections.abc import Callable, Sized
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from charrnn.inference.intervals import RESAMPLES, Interval, Reals

Ids = npt.NDArray[np.int64]
OfSums = Callable[[Reals], Reals]

MAX_GROUPS: Final = 1000


@dataclass(frozen=True, eq=False, repr=False)
class Figure:
    """A figure for a test set, computed from sums over its examples.

    of_sums: the function from sums (..., K) to figures (...). sums: (G, K), the sums
    over each group of examples.
    """

    of_sums: OfSums
    sums: Reals
    examples: int

    @classmethod
    def of(cls, of_sums: OfSums, statistics: npt.ArrayLike) -> Self:
        """Build a figure from the statistics of each example, (N, K)."""
        rows = np.asarray(statistics, np.float64)
        groups = groups_of(len(rows))
        sums = np.zeros((min(len(rows), MAX_GROUPS), rows.shape[1]))
        np.add.at(sums, groups, rows)
        return cls(of_sums, sums, len(rows))

    @classmethod
    def of_entries(
        cls,
        of_sums: OfSums,
        entries: list[tuple[Ids, Ids, Reals]],
        shape: tuple[int, int],
    ) -> Self:
        """Build a figure from only the nonzero statistics, which suits a large K.

        entries: (examples, columns, values) to add up, each (M,). shape: (N, K).
        """
        N, K = shape
        G = min(N, MAX_GROUPS)
        groups = groups_of(N)
        sums = np.zeros(G * K)
        for examples, columns, values in entries:
            sums += np.bincount(groups[examples] * K + columns, values, minlength=G * K)
        return cls(of_sums, sums.reshape(G, K), N)

    @cached_property
    def value(self) -> float:
        """The figure for the whole test set; NaN if it is undefined."""
        return float(self.of_sums(self.sums.sum(axis=0)))

    @cached_property
    def interval(self) -> Interval:
        """The 95% confidence interval; NaN for fewer than two examples."""
        return _interval(self.value, self._resampled())

    def difference(self, other: "Figure") -> tuple[float, Interval]:
        """Return this figure minus another, with the 95% confidence interval.

        Both must have the same examples in the same order, because each resample draws
        the same examples for both (a paired bootstrap).
        """
        if self.examples != other.examples:
            both = f"{self.examples} and {other.examples} examples"
            raise ValueError(f"cannot compare figures of {both}")
        value = self.value - other.value
        return value, _interval(value, self._resampled() - other._resampled())

    def to_json(self, name: str) -> dict[str, Any]:
        """Return the figure and its interval; None stands for NaN and infinity."""
        low, high = map(_finite, self.interval)
        ends = None if low is None or high is None else [low, high]
        return {name: _finite(self.value), f"{name}_interval": ends}

    def _resampled(self) -> Reals:
        """Return the figure for each resample, (R,); NaN if there is no interval."""
        if self.examples < 2 or not np.isfinite(self.value):
            return np.full(RESAMPLES, np.nan)
        return self.of_sums(_draws(len(self.sums)) @ self.sums)


def ratio(sums: Reals) -> Reals:
    """Return the first sum divided by the second; 0 / 0 is NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def check_examples(gold: Sized, *others: Sized | None) -> None:
    """Raise ValueError unless all lists have the same length, above 0."""
    sizes = {len(gold), *(len(other) for other in others if other is not None)}
    if sizes == {0} or len(sizes) > 1:
        found = " and ".join(map(str, sorted(sizes)))
        raise ValueError(f"the lists of examples have the lengths {found}")


@lru_cache(maxsize=4)
def groups_of(examples: int) -> Ids:
    """Return the group of each example, (N,), the same for every figure."""
    # an unusual seed: if a user shuffled with the same seed, groups would undo that
    shuffled = np.random.default_rng(902_417).permutation(examples)
    return np.asarray(shuffled % MAX_GROUPS, np.int64)


@lru_cache(maxsize=4)
def _draws(groups: int) -> Reals:
    """Return how often each resample draws each group, (R, G)."""
    equal = np.full(groups, 1 / groups)
    drawn = np.random.default_rng(2).multinomial(groups, equal, RESAMPLES)
    return drawn.astype(np.float64)


def _interval(value: float, drawn: Reals) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(drawn) < RESAMPLES / 2:
        return Interval(np.nan, np.nan)
    ends = np.quantile(drawn, (0.025, 0.975)) + value - drawn.mean()
    # the shift must not move figures such as accuracy out of their range
    low, high = np.clip(ends, min(value, drawn.min()), max(value, drawn.max())).tolist()
    return Interval(low, high)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
