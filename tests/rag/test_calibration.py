"""Calibration measures, by hand and against scikit-learn."""

import math
import random

import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from rag.calibration import brier, expected_calibration_error, reliability, roc_area

PROBABILITIES = [0.0, 0.05, 0.3, 0.35, 0.35, 1.0]
TRUTHS = [False, True, False, True, True, True]


def _cases(seed: int, count: int, digits: int) -> tuple[list[float], list[bool]]:
    """Return random cases of both kinds; few digits make ties, many leave no case on an edge."""
    chance = random.Random(seed)
    probabilities = [round(chance.random(), digits) for _ in range(count)]
    truths = [chance.random() < value**2 for value in probabilities]
    return [*probabilities, 0.45, 0.65], [*truths, True, False]


def test_the_area_is_the_share_of_pairs_in_the_right_order_ties_counted_half() -> None:
    assert roc_area([0.1, 0.9], [False, True]) == 1.0
    assert roc_area([0.9, 0.1], [False, True]) == 0.0
    assert roc_area([0.5, 0.5], [False, True]) == 0.5
    # Pairs of true and false: 3 > 1, 3 = 3, 2 > 1, 2 < 3.
    assert roc_area([3.0, 2.0, 1.0, 3.0], [True, True, False, False]) == 2.5 / 4


@pytest.mark.parametrize("digits", [1, 2, 9])
@pytest.mark.parametrize("seed", range(5))
def test_the_area_equals_that_of_scikit_learn(seed: int, digits: int) -> None:
    scores, truths = _cases(seed, 300, digits)

    assert roc_area(scores, truths) == pytest.approx(roc_auc_score(truths, scores), abs=1e-12)


def test_infinite_scores_are_ranked_like_others() -> None:
    assert roc_area([-math.inf, 0.0, math.inf], [False, False, True]) == 1.0


@pytest.mark.parametrize("truths", [[True, True], [False, False]])
def test_cases_of_one_kind_have_no_area(truths: list[bool]) -> None:
    with pytest.raises(ValueError, match="true and false"):
        roc_area([0.1, 0.2], truths)


def test_bins_hold_their_lower_edge_and_the_last_one_holds_1() -> None:
    rows = reliability(PROBABILITIES, TRUTHS)

    assert [(row.low, row.high, row.count) for row in rows] == [
        (0.0, 0.1, 2),
        (0.3, 0.4, 3),
        (0.9, 1.0, 1),
    ]
    assert [row.probability for row in rows] == pytest.approx([0.025, 1 / 3, 1.0])
    assert [row.observed for row in rows] == pytest.approx([1 / 2, 2 / 3, 1.0])


@pytest.mark.parametrize("bins", [3, 7, 10, 100])
def test_an_edge_belongs_to_the_bin_that_begins_with_it(bins: int) -> None:
    edges = [number / bins for number in range(bins)]

    rows = reliability(edges, [True] * bins, bins=bins)

    assert [row.low for row in rows] == edges
    assert [row.count for row in rows] == [1] * bins


@pytest.mark.parametrize("seed", range(5))
def test_the_bins_equal_those_of_scikit_learn(seed: int) -> None:
    probabilities, truths = _cases(seed, 300, 9)
    observed, foretold = calibration_curve(truths, probabilities, n_bins=10)

    rows = reliability(probabilities, truths)

    assert [row.observed for row in rows] == pytest.approx(list(observed), abs=1e-12)
    assert [row.probability for row in rows] == pytest.approx(list(foretold), abs=1e-12)
    assert sum(row.count for row in rows) == len(truths)


def test_the_calibration_error_weighs_each_bin_by_its_cases() -> None:
    by_hand = (2 * abs(0.025 - 1 / 2) + 3 * abs(1 / 3 - 2 / 3) + 1 * 0) / 6

    assert expected_calibration_error(PROBABILITIES, TRUTHS) == pytest.approx(by_hand)


def test_probabilities_that_come_true_as_often_as_they_say_have_no_error() -> None:
    truths = [True] * 3 + [False] * 7

    assert expected_calibration_error([0.3] * 10, truths) == pytest.approx(0.0)
    assert expected_calibration_error([0.8] * 10, truths) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_the_brier_score_equals_that_of_scikit_learn(seed: int) -> None:
    probabilities, truths = _cases(seed, 300, 9)

    assert brier(probabilities, truths) == pytest.approx(
        brier_score_loss(truths, probabilities), abs=1e-12
    )


def test_the_brier_score_is_the_mean_squared_distance() -> None:
    assert brier([1.0, 0.0], [True, False]) == 0.0
    assert brier([0.5, 0.8], [True, False]) == pytest.approx((0.25 + 0.64) / 2)


@pytest.mark.parametrize("wrong", [-0.01, 1.01, math.nan, math.inf])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    for measure in (reliability, expected_calibration_error, brier):
        with pytest.raises(ValueError, match=r"probability|number"):
            measure([0.5, wrong], [True, False])


def test_each_case_needs_its_truth() -> None:
    for measure in (roc_area, reliability, expected_calibration_error, brier):
        with pytest.raises(ValueError, match="a number and a truth"):
            measure([0.5, 0.5], [True])


def test_nothing_is_not_calibrated() -> None:
    assert reliability([], []) == []
    for measure in (expected_calibration_error, brier):
        with pytest.raises(ValueError, match="no cases"):
            measure([], [])
