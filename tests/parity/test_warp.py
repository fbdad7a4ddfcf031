"""Images with their pixels moved, against Keras' affine transform."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine.layers.warp import warp
from tests.parity.compare import difference, keras, numpy_of
from tests.parity.worst import note


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
def test_warp(fill_mode: str, interpolation: str) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(6, 9, 8, 3)).astype("float32")
    matrices = random.uniform(-1.2, 1.2, (6, 2, 3))
    matrices[:, :, 2] = random.uniform(-4, 12, (6, 2))
    ours, _ = warp(x, matrices, fill_mode, interpolation, 0.7)
    # Keras writes the column before the row.
    flipped = matrices[:, ::-1][:, :, [1, 0, 2]].reshape(6, 6)
    theirs = keras.ops.image.affine_transform(
        x, np.concatenate([flipped, np.zeros((6, 2))], 1).astype("float32"),
        interpolation=interpolation, fill_mode=fill_mode, fill_value=0.7,
    )  # fmt: skip
    found = difference(ours, numpy_of(theirs))
    note("warped images", found, f"{fill_mode}, {interpolation}")
    assert found < 1e-5
