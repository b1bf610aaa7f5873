"""How sure a mean over questions is, and whether a change of it is more than chance.

Percentile bootstrap: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13. Paired
over the same questions: Sakai, SIGIR 2006; it agrees with the t and permutation tests in Smucker,
Allan & Carterette, CIKM 2007.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
# So many draws are held at once, 12 MB of them; a sample larger than this is drawn row by row.
DRAWS = 1_000_000
# Were there no change, five values would all point one way in one of 16 cases, which is no rarity;
# six do so in one of 32. Of fewer the bootstrap makes an interval that is far too narrow.
FEWEST = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the bounds between which the true one lies; infinite where nobody can tell."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference(Interval):
    """A mean of differences; significant where its interval does not hold 0."""

    @property
    def is_significant_gain(self) -> bool:
        """Tell whether the mean rose by more than chance explains."""
        return self.low > 0

    @property
    def is_significant_drop(self) -> bool:
        """Tell whether the mean fell by more than chance explains."""
        return self.high < 0


def mean_interval(values: Sequence[float], *, level: float = 0.95, seed: int = 0) -> Interval:
    """Return the mean of values and its interval; the same values and seed give the same.

    Fewer than `FEWEST` values have infinite bounds. Few values, and shares near 0 or 1, have bounds
    that are too narrow: in simulations at a level of 0.95 those of 52 values held the true mean in
    91 to 94 of 100 cases, those of 15 in 79 to 97.

    Raises:
        ValueError: There are no values, one is not finite, or the level is not between 0 and 1.
    """
    sample = np.asarray(values, dtype=np.float64)
    if not sample.size or not np.isfinite(sample).all():
        raise ValueError("an interval needs values, finite ones")
    if not 0 < level < 1:
        raise ValueError("the level is a share between 0 and 1")
    mean = float(sample.mean())
    if sample.size < FEWEST:
        return Interval(mean, -inf, inf)
    tail = (1 - level) / 2
    low, high = np.quantile(_resampled_means(sample, np.random.default_rng(seed)), [tail, 1 - tail])
    return Interval(mean, float(low), float(high))


def paired_difference(
    before: Sequence[float], after: Sequence[float], *, level: float = 0.95, seed: int = 0
) -> Difference:
    """Return how the mean changed between two measurements of the same questions, in one order.

    Raises:
        ValueError: As `mean_interval`, or there are not as many values after as before.
    """
    changes = [new - old for old, new in zip(before, after, strict=True)]
    interval = mean_interval(changes, level=level, seed=seed)
    return Difference(interval.mean, interval.low, interval.high)


def _resampled_means(
    sample: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.float64]:
    rows = max(1, DRAWS // sample.size)
    means = np.empty(RESAMPLES)
    for begin in range(0, RESAMPLES, rows):
        count = min(rows, RESAMPLES - begin)
        drawn = generator.integers(sample.size, size=(count, sample.size), dtype=np.int32)
        means[begin : begin + count] = sample[drawn].mean(axis=1)
    return means
