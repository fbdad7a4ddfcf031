"""Moons and spirals: their shape, their noise, their seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from studio.data.catalogue import load
from studio.data.synthetic import moons, spirals
from studio.engine.workspace import Array

Points = Callable[[int, float, int], tuple[Array, Array]]


def test_moons_without_noise_are_half_circles() -> None:
    x, y = moons(500, 0.0, 3)
    for label, center, side in ((0, (0, 0), 1), (1, (1, 0.5), -1)):
        offset = x[y == label] - center
        assert np.allclose(np.hypot(*offset.T), 1)
        assert (side * offset[:, 1] >= 0).all()


def test_spirals_without_noise_turn_with_their_radius() -> None:
    x, y = spirals(500, 0.0, 3)
    radius = np.hypot(*x.T)
    assert radius.max() <= 1
    angle = np.arctan2(x[:, 1], x[:, 0])
    turned = angle - 3.5 * np.pi * radius - np.pi * y
    assert np.allclose(np.cos(turned), 1)


@pytest.mark.parametrize("make", [moons, spirals])
def test_noise_is_the_standard_deviation(make: Points) -> None:
    clean, _ = make(20_000, 0.0, 1)
    noisy, _ = make(20_000, 0.25, 1)
    assert np.allclose((noisy - clean).std(axis=0), 0.25, atol=0.005)


@pytest.mark.parametrize("make", [moons, spirals])
def test_a_seed_gives_the_same_points(make: Points) -> None:
    assert np.array_equal(make(50, 0.1, 7)[0], make(50, 0.1, 7)[0])
    assert not np.array_equal(make(50, 0.1, 7)[0], make(50, 0.1, 8)[0])


@pytest.mark.parametrize("samples", [10, 101])
@pytest.mark.parametrize("name", ["moons", "spirals"])
def test_options_reach_the_points(name: str, samples: int) -> None:
    data = load(name, samples=samples, seed=4)
    assert np.bincount(data.y).tolist() == [(samples + 1) // 2, samples // 2]
    assert data.options.get_config()["seed"] == 4


@pytest.mark.parametrize(("name", "most"), [("moons", 0.92), ("spirals", 0.75)])
def test_no_line_separates_them_but_neighbours_do(name: str, most: float) -> None:
    data = load(name)
    assert LogisticRegression().fit(data.x, data.y).score(data.x, data.y) < most
    half = len(data) // 2
    neighbours = KNeighborsClassifier(3).fit(data.x[:half], data.y[:half])
    assert neighbours.score(data.x[half:], data.y[half:]) > 0.95
