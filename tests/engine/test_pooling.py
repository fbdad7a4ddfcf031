"""Of equal largest numbers the first gets the gradient, in a batch with such and in one without."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers import (
    GlobalMaxPooling1D,
    Layer,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from studio.engine.layers import windows as win
from studio.engine.workspace import Context


@pytest.mark.parametrize(
    "layer", [GlobalMaxPooling1D(), MaxPooling1D(6)], ids=["over all", "in windows"]
)
def test_where_the_gradient_goes(layer: Layer) -> None:
    context = Context()
    random = np.random.default_rng(0)
    for equal in (False, True, False):
        x = random.permutation(4 * 6 * 3).reshape(4, 6, 3).astype("float32")
        if equal:
            x[0, [1, 4], 2] = 100
            x[3, :, 0] = -1
        y, cache = layer.forward(x, context)
        dy = random.normal(size=y.shape).astype("float32")
        dx, _ = layer.backward(dy, cache, context)
        wanted = np.zeros_like(x)
        np.put_along_axis(wanted, x.argmax(axis=1)[:, None], dy.reshape(4, 1, 3), axis=1)
        np.testing.assert_array_equal(y.reshape(4, 3), x.max(axis=1))
        np.testing.assert_array_equal(dx, wanted)


WINDOWS = {
    "2": MaxPooling2D(),
    "3 by 2": MaxPooling2D((3, 2)),
    "2 by 3": MaxPooling2D((2, 3), padding="same"),
    "overlap": MaxPooling2D(3, strides=2, padding="same"),
    "1 by 3": MaxPooling2D((1, 3), strides=1),
    "steps": MaxPooling1D(3, strides=2, padding="same"),
    "volume": MaxPooling3D(),
    "overlapping volume": MaxPooling3D((3, 2, 3), strides=(2, 2, 1), padding="same"),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_the_first_of_equal_numbers_in_a_window(name: str) -> None:
    layer = WINDOWS[name]
    rank = type(layer).rank
    random = np.random.default_rng(0)
    x = random.integers(0, 3, size=(4, *(9, 8, 7)[:rank], 2)).astype("float32")
    y, cache = layer.forward(x, Context())
    dy = random.normal(size=y.shape).astype("float32")
    dx, _ = layer.backward(dy, cache, Context())
    amounts = win.pads(x.shape[1:-1], layer.pool_size, layer.steps, layer.padding, (1,) * rank)
    padded = np.pad(x, [(0, 0), *amounts, (0, 0)], constant_values=-np.inf)
    wanted = np.zeros_like(padded)
    for place in np.ndindex(*y.shape):
        sample, *where, channel = place
        corner = [n * step for n, step in zip(where, layer.steps, strict=True)]
        window = tuple(slice(c, c + k) for c, k in zip(corner, layer.pool_size, strict=True))
        met = padded[(sample, *window, channel)]
        first = np.unravel_index(met.argmax(), met.shape)
        assert y[place] == met[first]
        wanted[(sample, *window, channel)][first] += dy[place]
    inside = tuple(slice(b, b + n) for (b, _), n in zip(amounts, x.shape[1:-1], strict=True))
    np.testing.assert_allclose(dx, wanted[(slice(None), *inside)], atol=1e-6)
