"""Whether a score tells right from wrong, and whether a probability is one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases whose probability is in [low, high); 1 belongs to the last bin.

    `probability` is their mean, `observed` the share of them that came true.
    """

    low: float
    high: float
    count: int
    probability: float
    observed: float


def roc_area(scores: Sequence[float], truths: Sequence[bool]) -> float:
    """Return the chance that a true case scores above a false one; a tie counts half.

    Source: Hanley & McNeil, Radiology 143(1), 1982 (the Mann-Whitney statistic).

    Raises:
        ValueError: The lengths differ, a score is not a number, or all cases are of one kind.
    """
    values, true = _cases(scores, truths)
    positives = int(true.sum())
    negatives = true.size - positives
    if not positives or not negatives:
        raise ValueError("an area needs true and false cases")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[place][true].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def reliability(
    probabilities: Sequence[float], truths: Sequence[bool], *, bins: int = 10
) -> list[Bin]:
    """Return what came true beside what was foretold, in bins of equal width, lowest first.

    Bins without a case are left out. Source: Murphy & Winkler, Applied Statistics 26(1), 1977.

    Raises:
        ValueError: The lengths differ, or a probability is not in [0, 1].
    """
    foretold, true = _probabilities(probabilities, truths)
    # Divided, not added up, so that 0.3 lies on the edge that is written 0.3.
    edges = np.arange(bins + 1) / bins
    place = np.searchsorted(edges[1:-1], foretold, side="right")
    rows = []
    for number in np.unique(place):
        inside = place == number
        low, high = float(edges[number]), float(edges[number + 1])
        means = float(foretold[inside].mean()), float(true[inside].mean())
        rows.append(Bin(low, high, int(inside.sum()), *means))
    return rows


def expected_calibration_error(
    probabilities: Sequence[float], truths: Sequence[bool], *, bins: int = 10
) -> float:
    """Return how far the bins' probabilities are from what came true, weighed by their cases.

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015.

    Raises:
        ValueError: As `reliability`, or there are no cases.
    """
    rows = reliability(probabilities, truths, bins=bins)
    if not rows:
        raise ValueError("there are no cases")
    total = sum(row.count for row in rows)
    return sum(row.count * abs(row.probability - row.observed) for row in rows) / total


def brier(probabilities: Sequence[float], truths: Sequence[bool]) -> float:
    """Return the mean squared distance of probabilities from what came true, 0 at best.

    Source: Brier, Monthly Weather Review 78(1), 1950, halved to one outcome.

    Raises:
        ValueError: As `reliability`, or there are no cases.
    """
    foretold, true = _probabilities(probabilities, truths)
    if not foretold.size:
        raise ValueError("there are no cases")
    return float(np.mean((foretold - true) ** 2))


def _cases(
    scores: Sequence[float], truths: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, true = np.asarray(scores, dtype=np.float64), np.asarray(truths, dtype=np.bool_)
    if values.shape != true.shape or np.isnan(values).any():
        raise ValueError("each case needs a number and a truth")
    return values, true


def _probabilities(
    probabilities: Sequence[float], truths: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, true = _cases(probabilities, truths)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("a probability is not in [0, 1]")
    return values, true
