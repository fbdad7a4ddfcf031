"""Products in tiles: the same numbers as whole ones, whatever their shapes and order of memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from studio.engine import blas
from studio.engine.layers import tiles
from studio.engine.workspace import Array

SHAPES = [
    (32, 784, 256), (100, 300, 100), (37, 1000, 130), (288, 900, 32), (900, 288, 32), (17, 40, 999),
    (288, 900, 64), (96, 1100, 64), (27, 9216, 32), (9, 20000, 10), (2, 600, 1000), (1000, 9, 32),
    (1, 900, 1300), (1300, 900, 1),
    (130, 784, 1100), (33, 160, 70), (3, 5, 2), (1, 1, 1),
]  # fmt: skip


@pytest.fixture(autouse=True, params=["in place", "in place, wide", "packed"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "multiplies_in_place", lambda: request.param != "packed")
    monkeypatch.setattr(tiles, "is_wide", lambda: "wide" in request.param)


def factors(rows: int, inner: int, columns: int, turned: str) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(rows, inner)), random.normal(size=(inner, columns))
    a, b = a.astype("float32"), b.astype("float32")
    return (
        np.asfortranarray(a) if "a" in turned else a,
        np.asfortranarray(b) if "b" in turned else b,
    )


@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_same_as_whole(shape: tuple[int, int, int], turned: str) -> None:
    a, b = factors(*shape, turned)
    # Part of a larger array, whose other numbers stay as they are.
    room = np.full((shape[0] + 1, shape[2] + 3), np.nan, "float32")
    out = room[: shape[0], 1 : 1 + shape[2]]
    assert tiles.product(a, b, out) is out
    exact = a.astype(float) @ b.astype(float)
    assert abs(out - exact).max() <= 1e-5 * np.sqrt(shape[1])
    assert np.isnan(room).sum() == room.size - out.size


def test_of_parts_of_matrices() -> None:
    a, b = factors(100, 300, 700, "")
    out = np.empty((64, 100), "float32")
    tiles.product(a[:64, 20:220], b[50:250, 600:], out)
    np.testing.assert_allclose(out, a[:64, 20:220] @ b[50:250, 600:], atol=1e-4)


def test_the_same_bits_wherever_the_numbers_lie() -> None:
    a, b = factors(100, 300, 100, "")
    wanted = tiles.product(a, b, np.empty((100, 100), "float32"))
    for start in range(1, 20):
        moved = np.empty(a.size + 20, "float32")[start : start + a.size].reshape(a.shape)
        moved[:] = a
        found = tiles.product(moved, b, np.empty((100, 100), "float32"))
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("rows", [256, 192, 100, 64, 7])
def test_rows_for_many_products(rows: int) -> None:
    a, b = factors(rows, 160, 64, "")
    out = np.empty((3, rows, 64), "float32")
    cut, into = tiles.in_rows(a, out)
    np.matmul(cut, b, out=into[1])
    np.testing.assert_allclose(out[1], a @ b, atol=1e-4)
    assert cut.ndim == 2 or cut[0].size * 64 <= tiles.MOST


def test_which_processors_have_such_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bytes] = []

    def function(_: str) -> object:
        return (lambda: found[0]) if found else None

    monkeypatch.setattr(blas, "_function", function)
    intel, amd = "vendor_id : GenuineIntel", "AMD64 Family 25, AuthenticAMD"
    kinds = {
        (None, intel): (False, False), (b"Haswell", intel): (False, False),
        (b"Cooperlake", amd): (True, False), (b"SkylakeX", amd): (True, False),
        (b"SkylakeX", intel): (True, True), (b"SkylakeX", ""): (True, True),
    }  # fmt: skip
    for (name, maker), wanted in kinds.items():
        found[:] = [] if name is None else [name]
        monkeypatch.setattr(blas, "_maker", lambda maker=maker: maker)
        blas._core.cache_clear()
        assert (blas.multiplies_in_place(), blas.is_wide()) == wanted
    blas._core.cache_clear()


def test_the_maker_of_this_processor_is_known() -> None:
    known = Path("/proc/cpuinfo").exists() or "PROCESSOR_IDENTIFIER" in os.environ
    assert bool(blas._maker()) == known
