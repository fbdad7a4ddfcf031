"""A lane lays out what its layers do once, and still does in every step what they would do anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine import Input, Sequential, plan
from studio.engine.lane import Lane
from studio.engine.layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Cropping1D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalMaxPooling2D,
    Layer,
    LayerNormalization,
    Masking,
    MaxPooling2D,
    Normalization,
    Permute,
    PReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    SeparableConv2D,
    SimpleRNN,
    TimeDistributed,
    UnitNormalization,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from studio.engine.losses import MeanSquaredError
from studio.engine.workspace import Array, Context, Moment, Workspace

STACKS: dict[str, Callable[[], list[Layer]]] = {
    "dense": lambda: [
        Flatten(), Dense(9, "gelu"), Dropout(0.4), Dense(8), Activation("mish"), Dense(3),
    ],
    "conv": lambda: [
        Conv2D(6, 3, activation="relu"), MaxPooling2D(), Dropout(0.5), LayerNormalization(),
        Conv2D(4, 2, padding="same", groups=2), Conv2DTranspose(5, 2, activation="silu"),
        GlobalMaxPooling2D(), Dense(3, activity_regularizer="l2"), Dense(2),
    ],
    # What does not lie in one run of memory.
    "views": lambda: [
        Permute((2, 1, 3)), Conv2DTranspose(4, 2), Permute((3, 1, 2)), Dense(6), Cropping2D(1),
        Conv2D(4, 1, groups=2), Permute((2, 3, 1)), MaxPooling2D(), Flatten(), Dense(2),
    ],
    "pools": lambda: [
        Cropping2D(1), AveragePooling2D(3, strides=2, padding="same"), Permute((2, 1, 3)),
        GlobalMaxPooling2D(), Activation("gelu"), Dense(2),
    ],
    "depthwise": lambda: [
        DepthwiseConv2D(3, depth_multiplier=2, activation="gelu"),
        SeparableConv2D(5, 2, strides=2, padding="same", activation="relu"),
        DepthwiseConv2D(2, dilation_rate=2, use_bias=False), Flatten(), Dense(2),
    ],
    "sequences": lambda: [
        Reshape((27, 12)), GRU(5, return_sequences=True, dropout=0.2, activation="gelu"),
        Bidirectional(LSTM(4, return_sequences=True, recurrent_dropout=0.2)),
        GRU(3, return_sequences=True, reset_after=False, recurrent_activation="hard_sigmoid"),
        SimpleRNN(5, activation="relu", go_backwards=True), Dense(2),
    ],
    "rearranged": lambda: [
        Rescaling(0.5, 1), Normalization(mean=0.1, variance=2), ZeroPadding2D(1), UpSampling2D(2),
        Cropping2D(3), GaussianNoise(0.1), UpSampling2D(2, interpolation="bilinear"),
        GaussianDropout(0.1), LayerNormalization(axis=(1, 3)), Permute((3, 1, 2)),
        Reshape((64, 64)), ZeroPadding1D(1), UpSampling1D(2), Cropping1D(2),
        GlobalAveragePooling1D(), RepeatVector(3), Flatten(), Dense(2),
    ],
    "within": lambda: [
        Reshape((9, 9, 4)), Permute((2, 1, 3)),
        TimeDistributed(Bidirectional(GRU(3, return_sequences=True, dropout=0.2), "mul")),
        TimeDistributed(UnitNormalization()), TimeDistributed(Conv1D(4, 2, activation="relu")),
        Dense(2),
    ],
    "normalized": lambda: [
        Conv2D(6, 3), BatchNormalization(), PReLU(), Flatten(), Dense(9), BatchNormalization(),
        Activation("relu"), Dense(2, "softmax"),
    ],
    # Other steps are masked in each batch.
    "masked": lambda: [
        Activation("relu"), Reshape((81, 4)), Masking(), LSTM(4, return_sequences=True),
        BatchNormalization(), GRU(3, return_sequences=True, reset_after=False, go_backwards=True),
        Bidirectional(SimpleRNN(3, return_sequences=True)), LSTM(3, activation="softsign"),
    ],
}  # fmt: skip


def built(name: str) -> list[Layer]:
    return Sequential([Input((9, 9, 4)), *STACKS[name]()]).layers


Views = list[dict[str, Array]]


def room(stack: list[Layer]) -> Views:
    """Room for the gradients of all weights."""
    return [{w.name: np.empty_like(w.value) for w in layer.trainable_weights} for layer in stack]


def step(lane: Lane, x: Array, number: int, views: Views, shard: int = 0) -> Array:
    """The output of one step of training; its gradients go to the views."""
    lane.moment.step, lane.moment.training = number, True
    lane.aim(shard, views)
    y, caches, _ = lane.forward(x, 0, len(lane.stack))
    lane.backward(np.cos(y), caches, 0, len(lane.stack))
    return y.copy()


@pytest.mark.parametrize("name", STACKS)
def test_the_same_bits_as_doing_it_anew(name: str) -> None:
    stack = built(name)
    moment = Sequential(stack).moment
    kept, anew = Lane(stack, moment), Lane(stack, moment, reuse=False)
    views, others = ([room(stack) for _ in range(2)] for _ in range(2))
    random = np.random.default_rng(0)
    for number, size in enumerate((5, 5, 3, 5, 5, 3, 7, 5)):
        shard = number % 2
        x = random.normal(size=(size, 9, 9, 4)).astype("float32")
        np.testing.assert_array_equal(
            step(kept, x, number, views[shard], shard), step(anew, x, number, others[shard], shard)
        )
        for mine, wanted in zip(views[shard], others[shard], strict=True):
            for weight, gradient in wanted.items():
                np.testing.assert_array_equal(mine[weight], gradient, weight)
        for layer in stack:
            for weight in layer.trainable_weights:
                weight.value += np.float32(0.01)
        moment.training = False
        np.testing.assert_array_equal(
            kept.forward(x, 0, len(stack))[0], anew.forward(x, 0, len(stack))[0]
        )


@pytest.mark.parametrize("name", STACKS)
def test_laid_out_only_in_the_first_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = built(name)
    lane = Lane(stack, Sequential(stack).moment)
    views = room(stack)
    for number in range(12):
        if number == 10:
            monkeypatch.delattr(plan, "Plan")
        x = np.random.default_rng(number).normal(size=(5, 9, 9, 4)).astype("float32")
        step(lane, x, number, views)


@pytest.mark.parametrize("name", STACKS)
def test_a_step_is_the_way_to_the_loss_and_back(name: str) -> None:
    stack = built(name)
    moment, random = Sequential(stack).moment, np.random.default_rng(0)
    moment.training = True
    kept = [weight for layer in stack for weight in layer.weights if not weight.trainable]
    once, apart = (Lane(stack, moment, loss=MeanSquaredError()) for _ in range(2))
    assert (once.turns_at is None) == (name == "masked")
    views = [room(stack) for _ in range(2)]
    outputs = [length or 1 for length in stack[-1].output_shape[1:]]
    for number, size in enumerate((5, 5, 3, 5)):
        moment.step = number
        x = random.normal(size=(size, 9, 9, 4)).astype("float32")
        y = random.normal(size=(size, *outputs)).astype("float32")
        found: list[list[Array]] = []
        before = [weight.value.copy() for weight in kept]
        # Whatever has weights goes forward, to the loss and back in turn.
        for lane, weight, view in zip(
            (once, apart), (None, np.ones(size, "f")), views, strict=True
        ):
            for each, value in zip(kept, before, strict=True):
                each.value[...] = value
            lane.aim(0, view)
            loss, out, _ = lane.step(x, y, weight, 8)
            gradients = [gradient.copy() for layer in view for gradient in layer.values()]
            learned = [weight.value.copy() for weight in kept]
            found.append([np.array(loss), out.copy(), *gradients, *learned])
        for ours, wanted in zip(*found, strict=True):
            np.testing.assert_array_equal(ours, wanted)


def test_which_layers_are_laid_out_together() -> None:
    stack = built("conv")
    lane = Lane(stack, Sequential(stack).moment)
    assert lane.together(0, 9) == [(0, 7), (7, 8), (8, 9)]
    assert lane.together(1, 3) == [(1, 3)]
    stack = Sequential([Input((4,)), Dense(3), BatchNormalization(), Dense(2)]).layers
    assert Lane(stack, Sequential(stack).moment).together(0, 3) == [(0, 3)]
    stack = built("masked")
    assert Lane(stack, Sequential(stack).moment).together(0, 8) == [(0, 2), (2, 8)]
    stack = built("within")
    lane = Lane(stack, Sequential(stack).moment)
    assert lane.together(0, 6) == [(0, 3), (3, 4), (4, 6)]


@pytest.mark.parametrize(
    "layer",
    [
        Dense(3), Conv2D(4, 3), Conv2D(4, 2, groups=2), Conv2D(3, 3, strides=2),
        Conv2DTranspose(3, 2, padding="same"), MaxPooling2D(), AveragePooling2D(2),
        GlobalMaxPooling2D(), Flatten(), Activation("gelu"), Dropout(0.3), BatchNormalization(),
        BatchNormalization(axis=1), DepthwiseConv2D(3), SeparableConv2D(4, 2, strides=2),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_numbers_that_change_where_they_lie(layer: Layer) -> None:
    layer.build((None, 6, 6, 4))
    random = np.random.default_rng(0)
    room = np.empty((3, 8, 8, 4), "float32")
    x, kept = room[:, 1:-1, 1:-1], Context(moment=Moment(training=True))
    arriving: Array | None = None
    for _ in range(4):
        room[:] = random.normal(size=room.shape)
        anew = Context(moment=kept.moment, workspace=Workspace(reuse=False))
        y, cache = layer.forward(x, kept)
        other, other_cache = layer.forward(x, anew)
        np.testing.assert_array_equal(y, other)
        if arriving is None:
            # With gaps between its rows, as a gradient from a layer that pads has them.
            arriving = np.empty((*y.shape[:-1], 2 * y.shape[-1]), y.dtype)[..., : y.shape[-1]]
        arriving[:] = random.normal(size=y.shape)
        dx, gradients = layer.backward(arriving, cache, kept)
        other_dx, other_gradients = layer.backward(arriving, other_cache, anew)
        np.testing.assert_array_equal(np.asarray(dx), np.asarray(other_dx))
        for name, wanted in other_gradients.items():
            np.testing.assert_array_equal(gradients[name], wanted, name)
