"""Layers within layers against Keras: directions, masks, what is learned step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.errors import ParameterError, ShapeError
from studio.engine.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    TimeDistributed,
)
from studio.engine.layers import registry as layers
from studio.engine.workspace import Context, Moment
from tests.parity.compare import check_layer, keras
from tests.parity.files import from_keras, to_keras

MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
WITHIN: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Dense", {"units": 3, "activation": "softmax"}, (4, 5, 2)),
    ("Dense", {"units": 3, "use_bias": False}, (4, 5, 3, 2)),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "relu"}, (2, 3, 5, 4, 2)),
    ("MaxPooling2D", {}, (2, 3, 4, 4, 2)),
    ("LSTM", {"units": 3}, (2, 3, 4, 2)),
    ("LayerNormalization", {}, (2, 3, 4)),
    ("PReLU", {}, (2, 3, 4)),
]


@pytest.mark.parametrize(("name", "config", "shape"), WITHIN)
def test_each_step_by_itself(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    inner = getattr(keras.layers, name)(**config)
    ours = TimeDistributed({"class_name": name, "config": config})
    theirs = keras.layers.TimeDistributed(inner)
    check_layer("TimeDistributed", {}, shape, layer=ours, keras_layer=theirs)


@pytest.mark.parametrize("masked", [False, True])
def test_what_mixes_samples_sees_one_step_at_a_time(masked: bool) -> None:
    inner = keras.layers.BatchNormalization(momentum=0.7)
    ours = TimeDistributed({"class_name": "BatchNormalization", "config": {"momentum": 0.7}})
    assert ours.mixes_samples
    check_layer(
        "TimeDistributed", {}, (4, 5, 3), training=True, layer=ours,
        mask=MASK if masked else None,
        keras_layer=keras.layers.TimeDistributed(inner),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_both_directions(name: str, mode: str, sequences: bool, mask: Any) -> None:
    config = {"units": 3, "return_sequences": sequences}
    check_layer(
        "Bidirectional", {"merge_mode": mode}, (4, 5, 2), mask=mask,
        layer=Bidirectional({"class_name": name, "config": config}, mode),
        keras_layer=keras.layers.Bidirectional(getattr(keras.layers, name)(**config), mode),
    )  # fmt: skip


def test_a_backward_layer_of_its_own() -> None:
    back = {"units": 3, "activation": "relu", "go_backwards": True}
    ours = Bidirectional(LSTM(3), backward_layer=GRU(**back))
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(3), backward_layer=keras.layers.GRU(**back)
    )
    check_layer("Bidirectional", {}, (4, 5, 2), layer=ours, keras_layer=theirs)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_masked_steps_may_give_zero(name: str, backwards: bool, sequences: bool) -> None:
    config = {
        "units": 3, "zero_output_for_mask": True, "go_backwards": backwards,
        "return_sequences": sequences,
    }  # fmt: skip
    check_layer(name, config, (4, 5, 2), mask=MASK)
    check_layer(name, {**config, "zero_output_for_mask": False}, (4, 5, 2), mask=MASK)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_dropout_is_the_same_at_all_steps(name: str) -> None:
    """Where all inputs are 1 and the state is not seen, all steps of a sample are alike."""
    layer = layers.find(name)(units=6, dropout=0.5, return_sequences=True)
    layer.build((None, 5, 8), seed=0)
    layer["recurrent_kernel"][...] = 0
    context = Context(moment=Moment(seed=1, training=True))
    y, _ = layer.forward(np.ones((7, 5, 8), "float32"), context)
    first = y[:, 0]
    assert len(np.unique(first[:, 0])) > 1, "samples differ"
    if name == "SimpleRNN":
        np.testing.assert_allclose(y, np.repeat(first[:, None], 5, axis=1), rtol=1e-6)


def test_a_model_ends_within_a_layer_and_learns_from_logits() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(12, 5, 3)), random.integers(0, 4, (12, 5))
    ours = Sequential(
        [Input((5, 3)), Bidirectional(GRU(4, return_sequences=True)),
         TimeDistributed(Dense(4, activation="softmax"))], seed=0,
    )  # fmt: skip
    theirs = keras.Sequential([
        keras.Input((5, 3)),
        keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True)),
        keras.layers.TimeDistributed(keras.layers.Dense(4, activation="softmax")),
    ])  # fmt: skip
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match="different ends"):
        Bidirectional(LSTM(3, go_backwards=True))
    with pytest.raises(ParameterError, match="return_sequences"):
        Bidirectional(LSTM(3), backward_layer=LSTM(3, go_backwards=True, return_sequences=True))
    uneven = Bidirectional(LSTM(3), "sum", LSTM(4, go_backwards=True))
    with pytest.raises(ShapeError, match="as many units"):
        uneven.compute_output_shape((None, 5, 2))
    with pytest.raises(ShapeError, match="a sequence"):
        TimeDistributed(Dense(3)).compute_output_shape((None, 5))
    with pytest.raises(ParameterError, match="activity_regularizer"):
        TimeDistributed(Dense(3, activity_regularizer="l2"))


WITHIN_STEPS: dict[str, tuple[Any, Any]] = {
    "LSTM": (lambda: LSTM(3), lambda: keras.layers.LSTM(3)),
    "Bidirectional": (
        lambda: Bidirectional(GRU(3)),
        lambda: keras.layers.Bidirectional(keras.layers.GRU(3)),
    ),
}


@pytest.mark.filterwarnings("ignore:Layer 'flatten")
@pytest.mark.parametrize("name", WITHIN_STEPS)
def test_masks_of_steps_within_steps(name: str) -> None:
    """Words in sentences; Keras has no mask left after Flatten, as here."""
    random = np.random.default_rng(0)
    x, y = random.integers(0, 4, (12, 3, 6)), random.normal(size=(12, 2))
    inner, its = WITHIN_STEPS[name]
    ours = Sequential(
        [Input((3, 6)), Embedding(7, 4, mask_zero=True), TimeDistributed(inner()), Flatten(),
         Dense(2)], seed=0,
    )  # fmt: skip
    theirs = keras.Sequential([
        keras.Input((3, 6)), keras.layers.Embedding(7, 4, mask_zero=True),
        keras.layers.TimeDistributed(its()), keras.layers.Flatten(), keras.layers.Dense(2),
    ])  # fmt: skip
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    for model in (ours, theirs):
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_keras_trains_what_is_trained_here(tmp_path: Path) -> None:
    model = Sequential(
        [Input((5, 3)), Bidirectional(GRU(3, return_sequences=True), trainable=False),
         TimeDistributed(Dense(2)), TimeDistributed(Dense(2, trainable=False)), Dense(1)],
    )  # fmt: skip
    theirs = to_keras(model, tmp_path)
    assert len(theirs.trainable_weights) == len(model.trainable_weights) == 4
    again = from_keras(theirs, tmp_path)
    assert [w.trainable for w in again.weights] == [w.trainable for w in model.weights]
