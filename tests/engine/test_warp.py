"""Images with their pixels moved, and their gradient."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers.warp import PIXELS, spread_back, warp


def turned(count: int, random: np.random.Generator) -> np.ndarray:
    """Matrices that turn, shift and squeeze far enough to look well outside of the image."""
    turns, shifts = random.uniform(-1.2, 1.2, (count, 2, 3)), random.uniform(-9, 9, (count, 2))
    turns[:, :, 2] += shifts
    return turns


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
def test_the_way_back_is_the_transpose(fill_mode: str, interpolation: str) -> None:
    """Looking up is linear in the image, so ⟨warp(x), dy⟩ = ⟨x, spread_back(dy)⟩."""
    random = np.random.default_rng(1)
    x, dy = random.normal(size=(2, 5, 7, 6, 3))
    y, cache = warp(x, turned(5, random), fill_mode, interpolation, 0.0)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, spread_back(dy, cache)), rel=1e-12)


def test_outside_is_the_number_that_was_asked_for() -> None:
    x = np.zeros((1, 4, 4, 2), "float32")
    right = np.array([[[1, 0, 0], [0, 1, 2.5]]])
    y, _ = warp(x, right, "constant", "bilinear", 8.0)
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 4, 8, 8]] * 4)


def test_samples_do_not_depend_on_each_other() -> None:
    """Some samples are worked on at a time: a sample alone gives the same numbers."""
    random = np.random.default_rng(2)
    x = random.normal(size=(9, 64, 64, 1)).astype("float32")
    assert x.size > 2 * PIXELS
    matrices = turned(9, random)
    together, _ = warp(x, matrices, "reflect", "bilinear", 0.0)
    alone = [
        warp(x[i : i + 1], matrices[i : i + 1], "reflect", "bilinear", 0.0)[0] for i in range(9)
    ]
    np.testing.assert_array_equal(together, np.concatenate(alone))
