"""The slope by which the soak judges whether something grows."""

from __future__ import annotations

from random import Random

import pytest
from soak_figures import noise, slope


def test_what_grows_evenly_has_its_growth_as_slope() -> None:
    assert slope([(month, 100 + 7 * month) for month in range(24)]) == pytest.approx(7)


def test_noise_and_a_few_points_far_out_are_no_growth() -> None:
    chance = Random(5)
    points = [(month, 100 + chance.uniform(-1, 1)) for month in range(48)]
    points[30:40] = [(month, 10_000.0) for month, _ in points[30:40]]
    assert abs(slope(points)) < 1


def test_slow_growth_shows_through_noise() -> None:
    chance = Random(5)
    assert slope([(month, 3 * month + chance.uniform(-10, 10)) for month in range(48)]) == pytest.approx(3, abs=0.5)


def test_the_noise_of_a_slope_is_that_of_its_points() -> None:
    chance = Random(5)
    calm = [(month, 100 + chance.uniform(-1, 1)) for month in range(48)]
    wild = [(month, 100 + 10 * (value - 100)) for month, value in calm]
    assert noise([(month, 7 * month) for month in range(24)]) == pytest.approx(0)
    assert 0 < abs(slope(calm)) < noise(calm) < 0.1
    assert noise(wild) == pytest.approx(10 * noise(calm))


def test_one_point_or_none_has_no_slope() -> None:
    assert slope([]) == slope([(1, 5)]) == slope([(1, 5), (1, 9)]) == 0
    assert noise([]) == noise([(1, 5), (2, 9)]) == 0
