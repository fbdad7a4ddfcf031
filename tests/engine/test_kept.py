"""Networks kept from one call to the next: nobody can tell, but by the time that it takes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from studio.engine import Input, Sequential, trainer
from studio.engine.activations import LeakyRelu
from studio.engine.callbacks import Callback
from studio.engine.errors import NumericsError
from studio.engine.kept import MOST, SMALL, Kept
from studio.engine.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Dropout,
    GaussianNoise,
    Layer,
)
from studio.engine.network import Network
from studio.engine.workspace import Array

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(70, 6)).astype("float32")
Y = np.eye(3, dtype="float32")[RANDOM.integers(0, 3, 70)]


def made(*hidden: Layer, loss: str = "categorical_crossentropy") -> Sequential:
    """A compiled model of three classes."""
    layers = hidden or (Dense(8, activation=LeakyRelu(0.1)), Dropout(0.3))
    model = Sequential([Input((6,)), *layers, Dense(3, activation="softmax")], seed=4)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def train(model: Sequential) -> None:
    """Two epochs."""
    model.fit(X, Y, batch_size=16, epochs=2, validation_split=0.2, verbose=0)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """All that are made during a test."""
    found: list[Network] = []

    class Counted(Network):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)  # pyright: ignore[reportArgumentType]
            found.append(self)

    monkeypatch.setattr(trainer, "Network", Counted)
    return found


CHANGES: dict[str, Callable[[Sequential], object]] = {
    "nothing": lambda model: None,
    "weights": lambda model: model.set_weights([value + 0.1 for value in model.get_weights()]),
    "a setting": lambda model: setattr(model.layers[1], "rate", 0.6),
    "a setting within": lambda model: setattr(model.layers[0].activation, "negative_slope", 0.5),  # pyright: ignore[reportAttributeAccessIssue]
    "of the optimizer": lambda model: setattr(model.optimizer, "beta_1", 0.5),
    "its rate": lambda model: setattr(model.optimizer, "learning_rate", 0.1),
    "frozen": lambda model: (setattr(model.layers[0], "trainable", False), recompile(model)),
    "another loss": lambda model: model.compile("adam", "mse", metrics=["accuracy"]),
    "another layer": lambda model: (model.pop(), model.add(Dense(3)), recompile(model)),
    "threads": lambda model: setattr(model, "threads", 3),
    "other batches": lambda model: model.fit(X[:50], Y[:50], batch_size=25, verbose=0),
    "an evaluation": lambda model: model.evaluate(X, Y, batch_size=64),
    "predictions": lambda model: model.predict(X, batch_size=16),
    "a batch": lambda model: model.train_on_batch(X[:16], Y[:16]),
}


def recompile(model: Sequential) -> None:
    """As it was compiled before."""
    model.compile(model.optimizer, model.loss, metrics=["accuracy"])


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_bits_as_laid_out_anew(change: Callable[[Sequential], object]) -> None:
    kept, anew = made(), made()
    for model in (kept, anew):
        train(model)
        anew.kept = Kept()
        change(model)
        anew.kept = Kept()
        train(model)
    for one, other in zip(kept.get_weights(), anew.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(kept.predict(X), anew.predict(X))


def test_laid_out_once(networks: list[Network]) -> None:
    model = made()
    for _ in range(3):
        train(model)
        model.predict(X, batch_size=16)
        model.evaluate(X, Y, batch_size=16)
        model.train_on_batch(X[:16], Y[:16])
    # One for training, evaluation and batches, one for predictions.
    assert len(networks) == 2
    assert model.layers[0].trainable
    model.layers[1].rate = 0.1  # pyright: ignore[reportAttributeAccessIssue]
    train(model)
    assert len(networks) == 3


def test_nobody_else_works_with_one_meanwhile(networks: list[Network]) -> None:
    model = made()

    class Looks(Callback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            model.evaluate(X, Y, batch_size=16)

    model.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=[Looks()])
    assert len(networks) == 2


def test_what_failed_is_not_kept(networks: list[Network]) -> None:
    model = made()
    train(model)
    broken = [np.full_like(value, np.nan) for value in model.get_weights()]
    good = model.get_weights()
    model.set_weights(broken)
    with pytest.raises(NumericsError):
        train(model)
    model.set_weights(good)
    train(model)
    assert len(networks) == 2


def test_large_ones_are_not_kept(networks: list[Network]) -> None:
    model = made(Dense(600), Dense(600))
    train(model)
    assert networks[0].memory > SMALL
    train(model)
    assert len(networks) == 2


def test_some_are_kept(networks: list[Network]) -> None:
    model = made()
    for _ in range(2):
        for size in range(10, 10 + MOST):
            model.predict(X, batch_size=size)
    assert len(networks) == MOST
    model.predict(X, batch_size=32)
    model.predict(X, batch_size=10)
    assert len(networks) == MOST + 2


def test_memory_is_what_arrays_take(networks: list[Network]) -> None:
    model = made(Dense(500))
    model.predict(X, batch_size=70)
    outputs = 4 * 70 * (500 + 3)
    assert outputs <= networks[0].memory < 1.1 * outputs


@pytest.mark.parametrize("units", [5, 6000])
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["copy", "bytes"],
)
def test_a_copy_goes_on_as_the_model(
    copied: Callable[[Sequential], Sequential], units: int
) -> None:
    model = made(BatchNormalization(), GaussianNoise(0.1), Dense(units))
    train(model)
    before, twin = model.predict(X), copied(model)
    for each in (model, twin):
        train(each)
    np.testing.assert_array_equal(model.predict(X), twin.predict(X))
    assert np.abs(twin.predict(X) - before).max() > 1e-3


def test_a_model_that_shares_a_layer_moves_its_weights() -> None:
    shared = Dense(5, activation="relu")
    one, other = made(shared), made(shared)
    for model in (one, other, one, other):
        train(model)
    again = Dense(5, activation="relu")
    first, second = made(again), made(again)
    for model in (first, second, first, second):
        model.kept = Kept()
        train(model)
    np.testing.assert_array_equal(one.predict(X), first.predict(X))
    np.testing.assert_array_equal(other.predict(X), second.predict(X))


def test_sequences_of_other_lengths() -> None:
    def sequences(steps: int) -> Array:
        return np.random.default_rng(steps).normal(size=(20, steps, 3)).astype("float32")

    def model() -> Sequential:
        made = Sequential([Input((None, 3)), LSTM(4), Dense(1)], seed=1)
        made.compile("adam", "mse")
        return made

    kept, anew = model(), model()
    for steps in (5, 9, 5, 3, 9):
        for each in (kept, anew):
            anew.kept = Kept()
            each.fit(sequences(steps), np.ones((20, 1)), batch_size=10, verbose=0)
    np.testing.assert_array_equal(kept.predict(sequences(7)), anew.predict(sequences(7)))
