"""Of equal largest numbers the first gets the gradient, in a batch with such and in one without."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers import GlobalMaxPooling1D, Layer, MaxPooling1D
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
