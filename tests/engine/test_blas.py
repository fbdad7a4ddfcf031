"""Sums in one pass are the sums of NumPy, wherever the numbers lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import blas
from studio.engine.workspace import Array

N = blas.ONE_PASS


def mixed(a: float, x: Array, b: float, y: Array, spare_is_x: bool) -> Array:
    x, y = x.copy(), y.copy()
    blas.mix(a, x, b, y, x if spare_is_x else np.empty_like(x))
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 7, N - 1, N, N + 5, 3 * N + 17])
@pytest.mark.parametrize(("a", "b"), [(0.1, 0.9), (-0.003, 1), (2.0, 0.0), (0.0, 1.5)])
@pytest.mark.parametrize("spare_is_x", [True, False])
def test_mix(dtype: str, size: int, a: float, b: float, spare_is_x: bool) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, size)).astype(dtype)
    exact = a * x.astype("longdouble") + b * y
    limit = 3 * np.finfo(dtype).eps * (abs(a * x) + abs(b * y)).max()
    assert abs(mixed(a, x, b, y, spare_is_x) - exact).max() <= limit


def test_the_same_bits_wherever_the_numbers_lie() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, N + 100)).astype("float32")
    room, wanted = np.empty(N + 200, "float32"), mixed(0.1, x, 0.9, y, False)
    for start in range(20):
        moved = room[start : start + len(y)]
        moved[:] = y
        blas.mix(0.1, x, 0.9, moved, np.empty_like(x))
        np.testing.assert_array_equal(moved, wanted)


def test_without_openblas(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> None:
        return None

    x, y = np.random.default_rng(0).normal(size=(2, 2 * N))
    monkeypatch.setattr(blas, "_axpby", nothing)
    np.testing.assert_array_equal(mixed(0.1, x, 0.9, y, True), y * 0.9 + x * 0.1)
    monkeypatch.setattr(blas, "_function", nothing)
    with blas.one_blas_thread():
        pass
