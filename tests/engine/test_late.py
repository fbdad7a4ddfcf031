"""Bias and activation, left to the largest numbers, give the numbers they give to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.lane import Lane
from studio.engine.layers import (
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    GlobalMaxPooling2D,
    Layer,
    MaxPooling2D,
    ReLU,
    columns,
    pool,
)
from studio.engine.workspace import Array, Context, Moment

SHAPE = (9, 9, 3)


def built(*stack: Layer) -> list[Layer]:
    return Sequential([Input(SHAPE), *stack]).layers


def step(stack: list[Layer], x: Array, dy: Array) -> tuple[Array, list[dict[str, Array]]]:
    """Output and gradients of a lane."""
    model = Sequential(stack)
    lane = Lane(stack, model.moment)
    views = [{w.name: np.empty_like(w.value) for w in layer.weights} for layer in stack]
    lane.aim(0, views)
    y, caches, _ = lane.forward(x, 0, len(stack))
    lane.backward(dy, caches, 0, len(stack))
    return y, views


def one_by_one(stack: list[Layer], x: Array, dy: Array) -> tuple[Array, list[dict[str, Array]]]:
    """The same from the layers themselves, each with its own activation."""
    contexts = [Context(layer=position) for position in range(len(stack))]
    caches: list[Any] = []
    for layer, context in zip(stack, contexts, strict=True):
        x, cache = layer.forward(x, context)
        caches.append(cache)
    gradients: list[dict[str, Array]] = []
    for layer, cache, context in zip(stack[::-1], caches[::-1], contexts[::-1], strict=True):
        arriving, found = layer.backward(dy, cache, context)
        assert arriving is not None
        gradients.append(dict(found))
        dy = arriving
    return x, gradients[::-1]


def assert_close(found: list[dict[str, Array]], wanted: list[dict[str, Array]]) -> None:
    """Gradients are the same, but may have been added up in another order."""
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.keys() == theirs.keys()
        for name, gradient in theirs.items():
            scale = abs(gradient).max()
            np.testing.assert_allclose(ours[name], gradient, rtol=1e-5, atol=1e-6 * scale)


LATE: dict[str, list[Layer]] = {
    "relu": [Conv2D(6, 3, activation="relu"), MaxPooling2D()],
    "overlap": [Conv2D(6, 3, activation="relu"), MaxPooling2D(3, strides=1, padding="same")],
    "relu6": [Conv2D(6, 3, activation="relu6"), MaxPooling2D(padding="same")],
    "global": [Conv2D(6, 3, activation="relu"), GlobalMaxPooling2D()],
    "layer": [Conv2D(6, 3), ReLU(), MaxPooling2D(3, strides=2)],
    "linear": [Conv2D(6, 3), MaxPooling2D(), Dense(3)],
    "no bias": [Conv2D(6, 3, activation="relu", use_bias=False), MaxPooling2D()],
    "nothing": [Conv2D(6, 3, use_bias=False), MaxPooling2D()],
    "frozen": [Conv2D(4, 2), Conv2D(6, 3, activation="relu", trainable=False), MaxPooling2D()],
    "first": [Activation("relu"), MaxPooling2D()],
    "twice": [Conv2D(6, 3, activation="relu"), MaxPooling2D(), Conv2D(4, 2, activation="relu"),
              MaxPooling2D(), Dense(3)],
}  # fmt: skip


def example(name: str) -> tuple[list[Layer], Array, Array]:
    """A stack with biases, its input, and a gradient of its output."""
    stack = built(*LATE[name])
    random = np.random.default_rng(0)
    for weight in (weight for layer in stack for weight in layer.weights if weight.name == "bias"):
        weight.value[:] = random.normal(size=weight.shape)
    # Steep in places, so that relu6 reaches its end; constant in others, so that numbers tie.
    x = random.normal(scale=6, size=(5, *SHAPE)).astype("float32")
    x[:, 5:] = 0.25
    lane = Lane(stack, Sequential(stack).moment)
    assert any(context.late for context in lane.contexts)
    dy = random.normal(size=lane.forward(x, 0, len(stack))[0].shape).astype("float32")
    return stack, x, dy


@pytest.mark.parametrize("name", LATE)
def test_the_same_numbers(name: str) -> None:
    stack, x, dy = example(name)
    found, wanted = step(stack, x, dy), one_by_one(stack, x, dy)
    np.testing.assert_array_equal(found[0], wanted[0])
    assert_close(found[1], wanted[1])


@pytest.mark.parametrize("piece", [1, 1 << 14, 1 << 16])
@pytest.mark.parametrize("name", LATE)
def test_some_samples_at_a_time(
    name: str, piece: int, monkeypatch: pytest.MonkeyPatch, forget_cuts: Callable[[], None]
) -> None:
    stack, x, dy = example(name)
    wanted = step(stack, x, dy)
    # Two of what the convolution makes, and fewer or more on its way back.
    monkeypatch.setattr(pool, "SAMPLES_BYTES", 2400)
    monkeypatch.setattr(columns, "PIECE_BYTES", piece)
    forget_cuts()
    found = step(stack, x, dy)
    np.testing.assert_array_equal(found[0], wanted[0])
    assert_close(found[1], wanted[1])


@pytest.mark.parametrize("name", LATE)
def test_without_a_way_back(name: str) -> None:
    stack, x, dy = example(name)
    lane = Lane(stack, Moment(turns_back=False))
    y, _, _ = lane.forward(x, 0, len(stack))
    np.testing.assert_array_equal(y, step(stack, x, dy)[0])


NEVER: dict[str, list[Layer]] = {
    "sigmoid": [Conv2D(6, 3, activation="sigmoid"), MaxPooling2D()],
    "average": [Conv2D(6, 3, activation="relu"), AveragePooling2D(2)],
    "penalty": [Conv2D(6, 3, activation="relu", activity_regularizer="l2"), MaxPooling2D()],
    "slope": [ReLU(negative_slope=0.1), MaxPooling2D()],
    "nothing": [Dense(6, use_bias=False), MaxPooling2D()],
}


@pytest.mark.parametrize("name", NEVER)
def test_left_where_it_is(name: str) -> None:
    stack = built(*NEVER[name])
    lane = Lane(stack, Sequential(stack).moment)
    assert not any(context.late for context in lane.contexts)
