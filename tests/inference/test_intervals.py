"""The block bootstrap: 95% coverage, even if neighbours are correlated."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from charrnn.inference.intervals import BLOCKS, interval_of_ratio

PAIRS = 200
CHARACTERS = 20_000
Series = Callable[[np.random.Generator], np.ndarray]


def moving_sums(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return numbers of variance 1, correlated with `length` neighbours."""
    sums = np.cumsum(rng.normal(size=CHARACTERS + length))
    return (sums[length:] - sums[:-length]) / math.sqrt(length)


def differences(rng: np.random.Generator, length: int, strength: float) -> np.ndarray:
    """Return the difference between two equally good models at each character.

    Large differences are rare and cluster in some passages. Each model is better for
    stretches of `length` characters.
    """
    single = rng.standard_t(4, CHARACTERS) * np.exp(moving_sums(rng, 200) / 2)
    return single + strength * moving_sums(rng, length)


def covers_zero(values: np.ndarray, sizes: np.ndarray, blocks: int) -> bool:
    low, high = interval_of_ratio(values, sizes, blocks=blocks)
    return low <= 0 <= high


@pytest.mark.parametrize(
    ("length", "strength"),
    [(1, 0.0), (6, 1.0), (50, 1.0), (200, 0.3)],
    ids=["characters", "words", "lines", "passages"],
)
def test_interval_covers_zero_in_92_to_98_percent_of_equal_pairs(
    length: int, strength: float
) -> None:
    ones = np.ones(CHARACTERS, np.int64)
    pairs = (
        differences(np.random.default_rng([length, k]), length, strength)
        for k in range(PAIRS)
    )

    held = sum(covers_zero(values, ones, BLOCKS) for values in pairs)

    assert 0.92 * PAIRS <= held <= 0.98 * PAIRS
