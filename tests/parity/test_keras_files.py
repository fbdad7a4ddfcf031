"""``.keras`` and ``.weights.h5`` files in both directions, for every layer and every optimizer."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.errors import StudioError
from studio.engine.layers import GRU, Bidirectional, Dense, Layer, TimeDistributed
from studio.engine.optimizers import optimizers
from studio.engine.params import snake_case
from studio.engine.saving import load_model, load_weights, save_model, save_weights
from studio.engine.saving.keras_model import model_to_keras
from tests.layer_cases import all_layers, cases
from tests.parity.compare import difference, keras
from tests.parity.exceptions import beyond_keras
from tests.parity.files import from_keras, optimizer_state, predictions_apart, to_keras

every_layer = pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)


@every_layer
def test_every_layer_with_every_setting(cls: type[Layer], tmp_path: Path) -> None:
    """To Keras, which must compute the same, and from there back to an equal layer."""
    for case in cases(cls):
        if beyond_keras(cls.__name__, case.config, case.shape):
            continue
        layer = case.layer("float32")
        ours = Sequential([Input(case.shape), layer], seed=0)
        x = case.inputs(3, "float32")
        save_model(ours, tmp_path / "ours.keras")
        theirs = keras.saving.load_model(tmp_path / "ours.keras")
        assert predictions_apart(ours, theirs, x) <= 1e-5, case
        theirs.save(tmp_path / "theirs.keras")
        again = load_model(tmp_path / "theirs.keras")
        expected, found = layer.get_config(), again.layers[0].get_config()
        if expected.get("strides", 0) is None:  # Keras writes the pool size instead.
            expected["strides"] = found["strides"]
        if "merge_mode" in expected:  # Keras writes both layers, and calls them "forward_lstm" …
            assert found.pop("backward_layer")
            del expected["backward_layer"]
            expected["layer"]["config"]["name"] = found["layer"]["config"]["name"]
        assert found == expected, case
        for one, other in zip(ours.get_weights(), again.get_weights(), strict=True):
            assert one.tobytes() == other.tobytes(), case


def test_layers_within_layers_within_layers(tmp_path: Path) -> None:
    layer = TimeDistributed(Bidirectional(GRU(3, return_sequences=True)))
    ours = Sequential([Input((5, 4, 2)), layer], seed=0)
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    theirs = to_keras(ours, tmp_path)
    assert predictions_apart(ours, theirs, x) <= 1e-5
    again = from_keras(theirs, tmp_path)
    np.testing.assert_array_equal(ours.predict(x), again.predict(x))


@every_layer
def test_names_in_files_are_those_of_keras(cls: type[Layer]) -> None:
    assert snake_case(cls.__name__) == keras.src.utils.naming.to_snake_case(cls.__name__)


def small_model(optimizer: Any) -> Sequential:
    """A model with a frozen weight and several trained ones."""
    model = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(3), Dense(2)], seed=3)
    model.layers[1].trainable = False
    model.compile(optimizer, "mse")
    return model


def small_data() -> tuple[Any, Any]:
    """Random numbers."""
    stream = np.random.default_rng(1)
    return stream.normal(size=(16, 3)).astype("f4"), stream.normal(size=(16, 2)).astype("f4")


OPTIMIZERS: list[Any] = [
    *optimizers.names,
    {"class_name": "SGD", "config": {"momentum": 0.9}},
    {"class_name": "SGD", "config": {"momentum": 0.9, "nesterov": True}},
    {"class_name": "RMSprop", "config": {"momentum": 0.9, "centered": True}},
    {"class_name": "Adam", "config": {"amsgrad": True}},
    {
        "class_name": "Adam",
        "config": {
            "learning_rate": {
                "class_name": "ExponentialDecay",
                "config": {
                    "initial_learning_rate": 0.01,
                    "decay_steps": 3,
                    "decay_rate": 0.5,
                },
            }
        },
    },
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_optimizer_goes_on_where_it_was(optimizer: Any, tmp_path: Path) -> None:
    """Three updates here, two there, two here again; each beside a run that never moved."""
    ours, stayed, (x, y) = small_model(optimizer), small_model(optimizer), small_data()
    for _ in range(3):
        ours.train_on_batch(x, y)
        stayed.train_on_batch(x, y)
    save_model(ours, tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    assert int(theirs.optimizer.iterations) == 3
    for _ in range(2):
        theirs.train_on_batch(x, y)
        stayed.train_on_batch(x, y)
    for one, other in zip(stayed.get_weights(), theirs.get_weights(), strict=True):
        assert difference(one, other) <= 1e-5
    theirs.save(tmp_path / "theirs.keras")
    again = load_model(tmp_path / "theirs.keras")
    save_model(again, tmp_path / "again.keras")
    once_more = keras.saving.load_model(tmp_path / "again.keras")
    states = optimizer_state(theirs), optimizer_state(once_more)
    for one, other in zip(*states, strict=True):
        # A single number may be computed anew: Nadam's product, in higher precision than Keras'.
        np.testing.assert_allclose(one, other, rtol=0 if one.ndim else 1e-6)
    for _ in range(2):
        again.train_on_batch(x, y)
        stayed.train_on_batch(x, y)
    for one, other in zip(stayed.get_weights(), again.get_weights(), strict=True):
        assert difference(one, other) <= 1e-5


def test_weights_files_of_keras(tmp_path: Path) -> None:
    ours, (x, y) = small_model("adam"), small_data()
    ours.train_on_batch(x, y)
    save_model(ours, tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    theirs.train_on_batch(x, y)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    load_weights(ours, tmp_path / "theirs.weights.h5")
    assert predictions_apart(ours, theirs, x) <= 1e-5
    assert ours.optimizer is not None
    assert ours.optimizer.iterations == 2
    ours.train_on_batch(x, y)
    save_weights(ours, tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert predictions_apart(ours, theirs, x) <= 1e-5
    assert int(theirs.optimizer.iterations) == 3


def test_our_configuration_is_the_one_keras_would_write(tmp_path: Path) -> None:
    """Whatever Keras adds are arguments that we leave at its defaults."""
    ours = small_model("adam")
    save_model(ours, tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    with zipfile.ZipFile(tmp_path / "theirs.keras") as archive:
        written = json.loads(archive.read("config.json"))
    for one, other in zip(
        model_to_keras(ours)["config"]["layers"], written["config"]["layers"], strict=True
    ):
        assert one["class_name"] == other["class_name"]
        assert one["module"] == other["module"]
        # Keras leaves this one out where there is none.
        assert one["config"].keys() - {"activity_regularizer"} <= other["config"].keys()


def own_function(x: Any) -> Any:
    """What a user of Keras might write."""
    return x


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: keras.layers.Lambda(lambda x: x), "Lambda"),
        (lambda: keras.layers.Dense(2, activation=own_function), "own_function"),
        (lambda: keras.layers.Flatten(data_format="channels_first"), "channels_first"),
        (lambda: keras.Sequential([keras.layers.Dense(2)]), "Sequential"),
    ],
    ids=["Lambda", "a function of one's own", "another data format", "nested"],
)
def test_what_we_cannot_follow_is_refused(make: Any, text: str, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3, 2)), make()])
    model.save(tmp_path / "theirs.keras")
    with pytest.raises(StudioError, match=text):
        load_model(tmp_path / "theirs.keras")


def test_a_functional_model_is_refused(tmp_path: Path) -> None:
    x = keras.Input((3,))
    keras.Model(x, keras.layers.Dense(2)(x)).save(tmp_path / "theirs.keras")
    with pytest.raises(StudioError, match="Sequential"):
        load_model(tmp_path / "theirs.keras")
