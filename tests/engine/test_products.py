"""Products in parts: the same as whole, however they are cut."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers import products
from studio.engine.parallel import Workers

SHAPES = [(1, 1, 1), (5, 3, 200), (200, 3, 5), (128, 33, 512), (33, 70, 33), (17, 9, 16)]


@pytest.mark.parametrize("part", [1e9, 2e4, 10])
def test_the_same_as_whole(part: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "PART", part)
    random = np.random.default_rng(0)
    wanted: list[products.Product] = []
    for rows, inner, columns in SHAPES:
        a, b = random.normal(size=(rows, inner)), random.normal(size=(inner, columns))
        wanted.append((a, b, np.full((rows, columns), np.nan)))
        wanted.append((b.T, a.T, np.full((columns, rows), np.nan)))
    with Workers(3) as workers:
        products.multiply(*wanted[::2], later=wanted[1::2], threads=workers)
        workers.finish()
    for a, b, out in wanted:
        np.testing.assert_allclose(out, a @ b, rtol=1e-12, atol=1e-12)


def test_parts_are_a_power_of_two_and_large_enough() -> None:
    for multiplications in (1.0, 2.9e7, 3e7, 5e7, 6e7, 1e12):
        count = products.parts(multiplications)
        assert count in (1, 2, 4, 8)
        assert count == 1 or multiplications / count >= products.PART
