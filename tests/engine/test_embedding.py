"""A row of the table gets the gradients of all the places where it stands."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers import Embedding
from studio.engine.workspace import Context


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 4, 5])
def test_rows_add_up_what_arrives(width: int, dtype: str) -> None:
    layer, random = Embedding(7, width, dtype=dtype), np.random.default_rng(0)
    layer.build((None, 6))
    x = random.integers(0, 6, (5, 6))
    # Among the gradients of a model a table's may begin anywhere.
    context = Context(
        gradients={"embeddings": np.zeros(7 * width + 1, dtype)[1:].reshape(7, width)}
    )
    wanted = np.zeros((7, width), dtype)
    for _ in range(2):
        y, cache = layer.forward(x, context)
        np.testing.assert_array_equal(y, layer["embeddings"][x])
        dy = random.normal(size=y.shape).astype(dtype)
        dx, gradients = layer.backward(dy, cache, context)
        assert dx is None
        wanted[:] = 0
        for place in np.ndindex(*x.shape):
            wanted[x[place]] += dy[place]
        np.testing.assert_array_equal(gradients["embeddings"], wanted)
