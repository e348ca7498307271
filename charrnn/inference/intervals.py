"""How sure a mean over a text is: a block bootstrap.

What two models differ by at one character says something of the next thousands: a
name that only one of them knows, a scene that only one of them likes. So blocks of
the text are drawn again, with replacement, and not characters (Kunsch 1989; circular,
Politis and Romano 1992), and of both models the same ones, as the difference varies
far less than what either says.

A block is a tenth of a text. The automatic length of Politis and White 2004 is not
used: of two LSTMs on 111,540 characters of plays it finds 85 characters from sums of
27 each, and 4,258 from sums of 54; in truth the error of the mean grows up to blocks
of 6,000 and more. Few long blocks find that, and what is lost by their being few,
Student's t gives back. Of many documents, which hang together less, blocks are
shorter. On made-up differences that hang together over up to a hundredth of the text,
the interval holds the truth in 95 to 97% of texts (test_intervals.py).
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer]

RESAMPLES: Final = 2000
BLOCKS: Final = 10  #: of a text
MOST_BLOCKS: Final = 100  #: of many documents
NORMAL: Final = 1.959963984540054  #: 97.5% of a normal distribution is below it


class Interval(NamedTuple):
    """The ends of an interval that holds the truth in 95% of texts, or NaN."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the truth is more, or less, than zero."""
        return self.low > 0 or self.high < 0


def interval_of_ratio(sums: Reals, sizes: Counts, *, blocks: int) -> Interval:
    """Return the 95% interval of sum(sums) / sum(sizes), as it would be of other texts.

    sums, sizes: (N,), of the characters or documents of a text in order, of which
    neighbours may hang together. blocks: into how many they are taken, fewer of
    fewer. NaN of less than two; both ends infinite if the ratio is.
    """
    ratio = float(sums.sum() / sizes.sum())
    K = min(blocks, len(sums))
    if K < 2 or not math.isfinite(ratio):
        return Interval(math.nan, math.nan) if K < 2 else Interval(ratio, ratio)
    rng = np.random.default_rng(1)
    starts = rng.integers(len(sums), size=(RESAMPLES, K))
    length = len(sums) // K
    drawn = [_sums_of_blocks(x, length)[starts].sum(axis=1) for x in (sums, sizes)]
    low, high = np.quantile(drawn[0] / drawn[1], (0.025, 0.975)).tolist()
    # blocks vary about their own mean, by (K - 1) / K of what they do about the truth
    wider = _student(K - 1) / NORMAL * math.sqrt(K / (K - 1))
    return Interval(ratio + wider * (low - ratio), ratio + wider * (high - ratio))


def _sums_of_blocks(values: npt.NDArray[np.generic], length: int) -> Reals:
    """Return the sum of each block (N,); after the last value comes the first."""
    ends = np.cumsum(np.concatenate([[0], values, values[: length - 1]]))
    return np.asarray(ends[length:] - ends[:-length], np.float64)


def _student(freedom: int) -> float:
    """Return what 97.5% of Student's t are below: Abramowitz and Stegun 26.7.5.

    Exact to 0.2% from 4 degrees of freedom on.
    """
    z = NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
