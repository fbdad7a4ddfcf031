"""Where work is cut, or done another way from some size on, small numbers show it: the same comes
out whatever these sizes are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, batches, blas, layers, plan, scores, sums
from studio.engine.activations import common
from studio.engine.layers import (
    channels,
    columns,
    conv,
    pool,
    products,
    reading,
    recurrent,
    step_products,
    tiles,
)
from studio.engine.optimizers import pieces
from studio.engine.workspace import Array

SIZES: list[tuple[Any, str, list[float]]] = [
    (batches, "SHUFFLE_WHOLE", [1]), (blas, "ONE_PASS", [8]), (channels, "LINE", [16]),
    (channels, "PIECE", [64]), (channels, "SHARED", [64]), (columns, "FEW_CHANNELS", [1, 4]),
    (columns, "PIECE_BYTES", [1, 3_000, 30_000]), (common, "FEW", [4]), (conv, "TURNED", [0, 9]),
    (pieces, "PIECE", [32]), (pieces, "SHARED", [32]), (plan, "FEW", [1]),
    (pool, "SAMPLES_BYTES", [1, 3_000]), (products, "PART", [300, 10_000]),
    (reading, "SHORTEST", [1, 100]), (recurrent, "AHEAD", [1, 300]),
    (recurrent, "BEHIND", [1, 300]), (recurrent, "LEAST_BESIDE", [1]), (scores, "PENDING", [1]),
    (step_products, "MOST_TAKEN", [0, 1]), (sums, "FEW_COLUMNS", [1, 9]), (sums, "NARROW", [2]),
    (tiles, "FEWEST", [1, 100]), (tiles, "LEAST", [1]), (tiles, "LEAST_TURNED", [1]),
    (tiles, "LONG", [9]), (tiles, "MOST", [600, 20_000]), (tiles, "SHORT", [4]),
    (tiles, "SHORTEST", [3]),
]  # fmt: skip
"""Each size that decides how something is done, and small values of it."""

STACKS: dict[str, tuple[tuple[int, ...], list[tuple[str, dict[str, Any]]]]] = {
    "table": ((30,), [("Dense", {"units": 70, "activation": "relu"}), ("BatchNormalization", {}),
                      ("Dense", {"units": 16, "kernel_regularizer": "l2"})]),
    "image": ((10, 9, 3), [("Conv2D", {"filters": 6, "kernel_size": 3, "activation": "relu"}),
                           ("MaxPooling2D", {}),
                           ("Conv2D", {"filters": 4, "kernel_size": 2, "padding": "same"}),
                           ("GroupNormalization", {"groups": 2}), ("ReLU", {}),
                           ("AveragePooling2D", {"pool_size": 2}), ("Flatten", {})]),
    "by channel": ((9, 9, 4), [("DepthwiseConv2D", {"kernel_size": 3, "activation": "elu"}),
                               ("SeparableConv2D", {"filters": 6, "kernel_size": 2}),
                               ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}),
                               ("MaxPooling2D", {"pool_size": 3, "strides": 2}), ("Flatten", {})]),
    "signal": ((30, 3), [("Conv1D", {"filters": 6, "kernel_size": 3, "activation": "relu"}),
                         ("LayerNormalization", {}),
                         ("Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal"}),
                         ("GlobalAveragePooling1D", {})]),
    "volume": ((6, 6, 5, 2), [("Conv3D", {"filters": 4, "kernel_size": 2, "activation": "tanh"}),
                              ("MaxPooling3D", {}), ("Flatten", {})]),
    "LSTM": ((12, 5), [("LSTM", {"units": 8, "return_sequences": True}), ("LSTM", {"units": 6})]),
    "GRU": ((12, 5), [("GRU", {"units": 8, "return_sequences": True}),
                      ("GRU", {"units": 6, "reset_after": False})]),
    "SimpleRNN": ((12, 5), [("Masking", {}), ("SimpleRNN", {"units": 8})]),
    "words": ((9,), [("Embedding", {"input_dim": 11, "output_dim": 4, "mask_zero": True}),
                     ("LSTM", {"units": 6})]),
}  # fmt: skip


def trained(name: str, threads: int) -> list[Array]:
    """What training and evaluation come to, the predictions, and the weights."""
    shape, stack = STACKS[name]
    own = [getattr(layers, kind)(**settings) for kind, settings in stack]
    top = layers.Dense(3, activation="softmax")
    model = Sequential([Input(shape), *own, top], seed=0, threads=threads)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(40, *shape)).astype("float32")
    if name == "words":
        x = numbers.integers(0, 11, (40, *shape))
    if name == "SimpleRNN":
        x[::3, 5:] = 0
    y = np.eye(3, dtype="float32")[numbers.integers(0, 3, 40)]
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    figures = np.array([*history["loss"], *model.evaluate(x, y, batch_size=7, verbose=0)])
    return [figures, model.predict(x, batch_size=40), *model.get_weights()]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", STACKS)
def test_sizes_make_no_difference(
    name: str, seed: int, monkeypatch: pytest.MonkeyPatch, forget_cuts: Callable[[], None]
) -> None:
    wanted, chance = trained(name, 1), random.Random(seed)
    for module, size, values in SIZES:
        if seed == 0:
            monkeypatch.setattr(module, size, values[0])
        elif chance.random() < 0.6:
            monkeypatch.setattr(module, size, chance.choice(values))
    forget_cuts()
    found, shared = trained(name, 1), trained(name, 2)
    for ours, others, usual in zip(found, shared, wanted, strict=True):
        np.testing.assert_array_equal(ours, others)
        np.testing.assert_allclose(ours, usual, rtol=1e-3, atol=1e-4)
