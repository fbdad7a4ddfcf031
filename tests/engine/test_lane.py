"""A lane lays out what its layers do once, and still does in every step what they would do anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.lane import Lane
from studio.engine.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPooling2D,
    Layer,
    LayerNormalization,
    MaxPooling2D,
)
from studio.engine.workspace import Array

STACKS: dict[str, Callable[[], list[Layer]]] = {
    "dense": lambda: [
        Flatten(), Dense(9, "gelu"), Dropout(0.4), Dense(8), Activation("mish"), Dense(3),
    ],
    "conv": lambda: [
        Conv2D(6, 3, activation="relu"), MaxPooling2D(), Dropout(0.5), LayerNormalization(),
        Conv2D(4, 2, padding="same", groups=2), Conv2DTranspose(5, 2, activation="silu"),
        GlobalMaxPooling2D(), Dense(3, activity_regularizer="l2"), Dense(2),
    ],
}  # fmt: skip


def built(name: str) -> list[Layer]:
    return Sequential([Input((9, 9, 4)), *STACKS[name]()]).layers


def step(lane: Lane, x: Array, number: int, views: list[dict[str, Array]]) -> Array:
    """The output of one step of training; its gradients go to the views."""
    lane.moment.step, lane.moment.training = number, True
    lane.aim(0, views)
    y, caches, _ = lane.forward(x, 0, len(lane.stack))
    lane.backward(np.cos(y), caches, 0, len(lane.stack))
    return y.copy()


@pytest.mark.parametrize("name", STACKS)
def test_the_same_bits_as_doing_it_anew(name: str) -> None:
    stack = built(name)
    moment = Sequential(stack).moment
    kept, anew = Lane(stack, moment), Lane(stack, moment, reuse=False)
    views, others = (
        [{w.name: np.empty_like(w.value) for w in layer.weights} for layer in stack]
        for _ in range(2)
    )
    random = np.random.default_rng(0)
    for number, size in enumerate((5, 5, 3, 5, 5, 3, 7, 5)):
        x = random.normal(size=(size, 9, 9, 4)).astype("float32")
        np.testing.assert_array_equal(step(kept, x, number, views), step(anew, x, number, others))
        for mine, wanted in zip(views, others, strict=True):
            for weight, gradient in wanted.items():
                np.testing.assert_array_equal(mine[weight], gradient, weight)
        for layer in stack:
            for weight in layer.trainable_weights:
                weight.value += np.float32(0.01)
        moment.training = False
        np.testing.assert_array_equal(
            kept.forward(x, 0, len(stack))[0], anew.forward(x, 0, len(stack))[0]
        )


def test_which_layers_are_laid_out_together() -> None:
    stack = built("conv")
    lane = Lane(stack, Sequential(stack).moment)
    assert lane.together(0, 9) == [(0, 3), (3, 4), (4, 7), (7, 8), (8, 9)]
    assert lane.together(1, 3) == [(1, 3)]
    stack = Sequential([Input((4,)), Dense(3), BatchNormalization(), Dense(2)]).layers
    assert Lane(stack, Sequential(stack).moment).together(0, 3) == [(0, 1), (1, 2), (2, 3)]
