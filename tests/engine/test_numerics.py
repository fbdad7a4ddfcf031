"""What is said to have become NaN or infinite is what did so first."""

from __future__ import annotations

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.errors import NumericsError
from studio.engine.layers import Conv2D, Dense, Flatten, Layer, MaxPooling2D

STACKS: dict[str, list[Layer]] = {
    "first": [Conv2D(4, 3, activation="relu", name="guilty"), MaxPooling2D(), Flatten()],
    "second": [
        Conv2D(4, 3, activation="relu"), MaxPooling2D(2, padding="same"),
        Conv2D(4, 2, name="guilty"), MaxPooling2D(), Flatten(),
    ],
    "last": [Conv2D(4, 3), MaxPooling2D(), Flatten(), Dense(3, name="guilty")],
}  # fmt: skip


@pytest.mark.parametrize("name", STACKS)
def test_the_first_layer_that_overflows_is_named(name: str) -> None:
    model = Sequential([Input((9, 9, 2)), *STACKS[name], Dense(2, activation="softmax")], seed=0)
    model.compile("sgd", "categorical_crossentropy")
    random = np.random.default_rng(0)
    x = random.random((12, 9, 9, 2), dtype=np.float32)
    y = np.eye(2, dtype="float32")[np.arange(12) % 2]
    model.fit(x, y, batch_size=6, verbose=0)
    guilty = model.get_layer("guilty")
    guilty["kernel"][...] = 3e38
    # Again with other batches, as what was laid out for the first is kept.
    for size in (6, 4):
        with pytest.raises(NumericsError, match=r"'guilty' output, epoch 1, batch 1"):
            model.fit(x, y, batch_size=size, verbose=0)
