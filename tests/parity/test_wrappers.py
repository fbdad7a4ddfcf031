"""Layers around layers, embeddings and data preparation against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.layers import registry
from tests.parity.compare import difference, keras

STACKS: list[tuple[tuple[int, ...], list[tuple[str, dict[str, Any]]]]] = [
    ((5, 3), [("TimeDistributed", {"layer": ("Dense", {"units": 4, "activation": "relu"})})]),
    ((3, 6, 6, 1), [("TimeDistributed", {"layer": ("Conv2D", {"filters": 2, "kernel_size": 3})})]),
    ((2, 4, 5, 3), [("TimeDistributed", {"layer": ("TimeDistributed", {"layer": (
        "Bidirectional", {"layer": ("LSTM", {"units": 2}), "merge_mode": "sum"})})})]),
    *[
        (
            (5, 3),
            [("Bidirectional", {"layer": (name, {"units": 4, **options}), "merge_mode": mode})],
        )
        for name in ("SimpleRNN", "LSTM", "GRU")
        for options in ({}, {"return_sequences": True})
        for mode in ("concat", "sum", "mul", "ave")
    ],
    *[
        ((4, 5, 3), [("TimeDistributed", {"layer": inner})])
        for inner in (
            ("Bidirectional", {"layer": ("GRU", {"units": 3})}),
            ("TimeDistributed", {"layer": ("Dense", {"units": 3, "activation": "relu"})}),
        )
    ],
    ((5, 3), [("Masking", {}), ("Bidirectional", {"layer": ("LSTM", {"units": 3})})]),
    (
        (5, 3),
        [("Masking", {}), ("LSTM", {"units": 3, "return_sequences": True}), ("GRU", {"units": 2})],
    ),
    ((5, 3), [("Rescaling", {"scale": 2.0, "offset": -1.0})]),
    ((5, 3), [("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 0.25]})]),
]  # fmt: skip


def made(namespace: Any, name: str, config: dict[str, Any]) -> Any:
    inner = config.get("layer")
    if inner is not None:
        config = {**config, "layer": made(namespace, *inner)}
    return getattr(namespace, name)(**config)


class Ours:
    def __getattr__(self, name: str) -> Any:
        return registry.find(name)


@pytest.mark.parametrize(("shape", "stack"), STACKS)
def test_training_is_the_same(
    shape: tuple[int, ...], stack: list[tuple[str, dict[str, Any]]]
) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(4, *shape)).astype("float32")
    if stack[0][0] == "Masking":
        x[1, 3:] = 0
        x[2, :2] = 0
    ours = Sequential([Input(shape), *[made(Ours(), *item) for item in stack]], seed=0)
    theirs = keras.Sequential([keras.Input(shape), *[made(keras.layers, *item) for item in stack]])
    theirs.set_weights(ours.get_weights())
    y = random.normal(size=ours.predict(x).shape).astype("float32")
    assert difference(ours.predict(x), theirs.predict(x, verbose=0)) < 1e-5
    if not ours.weights:
        return
    for model in (ours, theirs):
        model.compile("sgd", "mse")
    for _ in range(3):
        loss, expected = (model.train_on_batch(x, y) for model in (ours, theirs))
        assert abs(loss - float(expected)) <= 1e-5 * max(1, abs(float(expected)))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert difference(a, b) < 1e-4


@pytest.mark.parametrize("mask_zero", [False, True])
def test_embedding(mask_zero: bool) -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 6, (5, 7))
    stack = [
        ("Embedding", {"input_dim": 6, "output_dim": 3, "mask_zero": mask_zero}),
        ("LSTM", {"units": 4}),
    ]
    ours = Sequential([Input((7,)), *[made(Ours(), *item) for item in stack]], seed=0)
    theirs = keras.Sequential([keras.Input((7,)), *[made(keras.layers, *item) for item in stack]])
    theirs.set_weights(ours.get_weights())
    y = random.normal(size=(5, 4)).astype("float32")
    for model in (ours, theirs):
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=5, epochs=3, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert difference(a, b) < 1e-5


def test_normalization_adapts() -> None:
    x = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    ours, theirs = registry.find("Normalization")(), keras.layers.Normalization()
    for layer in (ours, theirs):
        layer.adapt(x)  # pyright: ignore[reportAttributeAccessIssue]
    assert difference(ours(x), theirs(x).numpy()) < 1e-5
