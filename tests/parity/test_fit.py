"""``fit``, ``evaluate`` and ``predict`` with the arguments that Keras has, beside Keras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from studio.engine import Sequential
from studio.engine.layers import Dense
from tests.parity.compare import difference, keras

STREAM = np.random.default_rng(0)
X = STREAM.normal(size=(50, 6)).astype("float32")
LABELS = STREAM.integers(0, 3, 50)
Y = np.eye(3, dtype="float32")[LABELS]
WEIGHT = STREAM.uniform(0.2, 2, 50).astype("float32")


def both() -> tuple[Any, Any]:
    """The same compiled model in both."""
    ours = Sequential(
        [Dense(8, activation="tanh", input_shape=(6,)), Dense(3, activation="softmax")]
    )
    layers = keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(3, activation="softmax")
    theirs = keras.Sequential([keras.Input((6,)), *layers])
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.compile(
            "adam",
            "categorical_crossentropy",
            metrics=["accuracy", "mse"],
            weighted_metrics=["mae"],
        )
    return ours, theirs


def batches(size: int) -> Iterator[Any]:
    """The rows again and again, with weights."""
    while True:
        for start in range(0, 50, size):
            rows = slice(start, start + size)
            yield X[rows], Y[rows], WEIGHT[rows]


FITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one large batch": {"batch_size": 50},
    "a small last batch": {"batch_size": 7},
    "validation_split": {"validation_split": 0.3, "batch_size": 16},
    "an odd split": {"validation_split": 0.333},
    "validation_data": {"validation_data": (X[:9], Y[:9]), "validation_batch_size": 4},
    "weighted validation": {"validation_data": (X[:9], Y[:9], WEIGHT[:9])},
    "sample_weight": {"sample_weight": WEIGHT},
    "weighted split": {"sample_weight": WEIGHT, "validation_split": 0.2},
    "class_weight": {"class_weight": {0: 2.0, 1: 0.5, 2: 1.5}},
    "class_weight split": {"class_weight": {0: 2.0, 1: 0.5, 2: 1.5}, "validation_split": 0.25},
    "listed validation": {"validation_data": [X[:20], Y[:20]]},
    "initial_epoch": {"initial_epoch": 2},
    "validation_freq": {"validation_split": 0.2, "validation_freq": 2},
}


@pytest.mark.parametrize("options", FITS.values(), ids=FITS)
def test_fit(options: dict[str, Any]) -> None:
    ours, theirs = both()
    options = {"epochs": 4, "shuffle": False, "verbose": 0} | options
    compare(ours.fit(X, Y, **options), theirs.fit(X, Y, **options))
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert difference(one, other) <= 1e-5


def compare(ours: Any, theirs: Any) -> None:
    """Fail where two histories differ."""
    assert ours.epoch == theirs.epoch
    assert ours.history.keys() == theirs.history.keys()
    for name, values in theirs.history.items():
        assert difference(ours.history[name], values) <= 1e-5, name


def test_fit_from_a_generator() -> None:
    ours, theirs = both()
    options: dict[str, Any] = {"epochs": 3, "steps_per_epoch": 4, "shuffle": False, "verbose": 0}
    compare(ours.fit(batches(7), **options), theirs.fit(batches(7), **options))


def test_fit_with_validation_from_a_generator() -> None:
    ours, theirs = both()
    options: dict[str, Any] = {"epochs": 1, "verbose": 0, "shuffle": False, "validation_steps": 3}
    compare(
        ours.fit(X, Y, validation_data=batches(5), **options),
        theirs.fit(X, Y, validation_data=batches(5), **options),
    )


@pytest.mark.parametrize("options", [{}, {"batch_size": 7}, {"sample_weight": WEIGHT}], ids=str)
def test_evaluate(options: dict[str, Any]) -> None:
    ours, theirs = both()
    found = ours.evaluate(X, Y, return_dict=True, verbose=0, **options)
    expected = theirs.evaluate(X, Y, return_dict=True, verbose=0, **options)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert difference(found[name], value) <= 1e-5, name
    assert difference(ours.evaluate(X, Y, **options), list(found.values())) == 0


def test_predict() -> None:
    ours, theirs = both()
    for size in (None, 7, 50):
        assert difference(ours.predict(X, size), theirs.predict(X, size, verbose=0)) <= 1e-5


def test_single_batches() -> None:
    ours, theirs = both()
    for weight in (None, WEIGHT):
        found = ours.train_on_batch(X, Y, weight, return_dict=True)
        theirs.reset_metrics()
        expected = theirs.train_on_batch(X, Y, weight, return_dict=True)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert difference(found[name], value) <= 1e-5, name
        theirs.reset_metrics()
        found = ours.test_on_batch(X, Y, weight)
        expected = theirs.test_on_batch(X, Y, weight)
        assert difference(found, np.array(expected)) <= 1e-5
    assert difference(ours.predict_on_batch(X), theirs.predict_on_batch(X)) <= 1e-5
