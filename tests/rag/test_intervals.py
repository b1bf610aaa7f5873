"""Intervals hold the true mean as often as they say, and changes count when they exceed chance."""

import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from rag import intervals
from rag.intervals import Difference, Interval, mean_interval, paired_difference


def _normal(chance: np.random.Generator) -> list[float]:
    return [float(value) for value in chance.normal(0.4, 1.0, 60)]


def _uniform(chance: np.random.Generator) -> list[float]:
    return [float(value) for value in chance.uniform(0.0, 0.8, 60)]


def _binary(chance: np.random.Generator) -> list[float]:
    return [float(value < 0.4) for value in chance.random(60)]


@pytest.mark.parametrize("draw", [_normal, _uniform, _binary])
def test_the_interval_holds_the_true_mean_about_as_often_as_its_level(
    draw: Callable[[np.random.Generator], list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 1_000)
    chance = np.random.default_rng(1)

    found = [mean_interval(draw(chance), seed=trial) for trial in range(1_000)]

    share = sum(interval.low <= 0.4 <= interval.high for interval in found) / len(found)
    assert 0.92 <= share <= 0.98


def test_no_change_is_called_significant_about_as_seldom_as_the_level_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 1_000)
    chance = np.random.default_rng(2)

    found = [
        paired_difference(chance.random(60).tolist(), chance.random(60).tolist(), seed=trial)
        for trial in range(1_000)
    ]

    alarms = sum(one.is_significant_gain or one.is_significant_drop for one in found)
    assert 0.02 <= alarms / len(found) <= 0.08


def test_the_interval_is_that_of_the_normal_law_where_that_holds() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 4_000).tolist()

    interval = mean_interval(values)

    error = 1.96 * np.std(values) / math.sqrt(len(values))
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.low == pytest.approx(interval.mean - error, abs=0.003)
    assert interval.high == pytest.approx(interval.mean + error, abs=0.003)


def test_a_higher_level_is_a_wider_interval() -> None:
    values = [number / 20 for number in range(20)]

    narrow, wide = mean_interval(values, level=0.5), mean_interval(values, level=0.99)

    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval_and_another_one_hardly_moves_it() -> None:
    values = [number / 20 for number in range(20)]

    assert mean_interval(values, seed=7) == mean_interval(values, seed=7)
    assert mean_interval(values, seed=8) != mean_interval(values, seed=7)
    assert mean_interval(values, seed=8).low == pytest.approx(
        mean_interval(values, seed=7).low, abs=0.01
    )


def test_values_without_spread_are_their_own_interval() -> None:
    assert mean_interval([0.25] * 6) == Interval(0.25, 0.25, 0.25)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_values_tell_a_mean_and_no_bounds(count: int) -> None:
    assert mean_interval([0.5] * count) == Interval(0.5, -math.inf, math.inf)
    assert not paired_difference([1.0] * count, [0.0] * count).is_significant_drop
    assert not paired_difference([0.0] * count, [1.0] * count).is_significant_gain


def test_questions_are_compared_with_themselves() -> None:
    # Far apart among themselves, each a little better: only pairs show it.
    before = [number / 50 for number in range(50)]
    after = [value + 0.001 * (number % 3) for number, value in enumerate(before)]

    change = paired_difference(before, after)

    assert change.mean == pytest.approx(0.00098)
    assert change.is_significant_gain
    assert not change.is_significant_drop


@pytest.mark.parametrize(("lost", "is_drop"), [(1, False), (3, False), (4, True), (20, True)])
def test_of_52_questions_four_must_be_lost_before_it_is_more_than_chance(
    lost: int, is_drop: bool
) -> None:
    before, after = [1.0] * 52, [0.0] * lost + [1.0] * (52 - lost)

    assert paired_difference(before, after).is_significant_drop == is_drop
    assert paired_difference(after, before).is_significant_gain == is_drop


def test_a_question_won_makes_up_for_one_lost() -> None:
    before, after = [1.0] * 5 + [0.0] * 5 + [1.0] * 40, [0.0] * 5 + [1.0] * 5 + [1.0] * 40

    change = paired_difference(before, after)

    assert change.mean == 0.0
    assert not change.is_significant_drop
    assert not change.is_significant_gain


def test_the_same_values_differ_by_exactly_nought() -> None:
    values = [0.1, 0.2, 0.3, 1 / 3, 0.7, 0.9]

    assert paired_difference(values, values) == Difference(0.0, 0.0, 0.0)


def test_a_large_sample_is_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 200)
    values = [0.5] * 200_000
    tracemalloc.start()

    mean_interval(values)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.parametrize("values", [[], [math.nan] * 9, [0.0] * 8 + [math.inf]])
def test_there_is_no_interval_of_nothing_or_of_no_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(values)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="share"):
        mean_interval([0.0] * 9, level=level)


def test_measurements_of_different_questions_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_difference([1.0] * 9, [1.0] * 8)
