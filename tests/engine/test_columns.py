"""Convolutions give the same however their windows are cut into pieces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine.layers import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Layer,
    columns,
)
from studio.engine.workspace import Array, Context

CASES: dict[str, tuple[Layer, tuple[int, ...]]] = {
    "sequence": (Conv1D(4, 3, activation="relu"), (12, 2)),
    "causal": (Conv1D(4, 2, padding="causal", dilation_rate=2), (11, 6)),
    "image": (Conv2D(4, 3, padding="same", activation="elu"), (7, 6, 5)),
    "strides": (Conv2D(4, 3, strides=2, groups=2), (8, 7, 6)),
    "volume": (Conv3D(3, 2, activation="relu"), (5, 4, 3, 2)),
    "turned image": (Conv2DTranspose(4, 3, activation="relu"), (5, 6, 5)),
}


def there_and_back(layer: Layer, x: Array) -> list[Array]:
    context = Context()
    y, cache = layer.forward(x, context)
    dx, gradients = layer.backward(np.cos(y), cache, context)
    assert dx is not None
    return [array.copy() for array in (y, dx, *gradients.values())]


@pytest.mark.parametrize("name", CASES)
def test_pieces_make_no_difference(
    name: str, monkeypatch: pytest.MonkeyPatch, forget_cuts: Callable[[], None]
) -> None:
    layer, shape = CASES[name]
    layer.build((None, *shape), seed=0)
    random = np.random.default_rng(0)
    layer["bias"][...] = random.normal(size=layer["bias"].shape)
    x = random.normal(size=(4, *shape)).astype("float32")
    whole = there_and_back(layer, x)
    for size in (1, 1 << 9, 1 << 11, 1 << 13):
        monkeypatch.setattr(columns, "PIECE_BYTES", size)
        forget_cuts()
        for found, wanted in zip(there_and_back(layer, x), whole, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
