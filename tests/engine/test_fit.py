"""What programs for Keras ask of ``fit`` beyond the usual: hooks, generators, steps, weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential
from studio.engine.callbacks import Callback, EarlyStopping, Logs
from studio.engine.errors import DataError, ParameterError
from studio.engine.layers import LSTM, Dense
from studio.engine.optimizers import SGD
from studio.engine.workspace import Array

X = np.ones((5, 1), "float32")
Y = np.arange(5, dtype="float32")[:, None]


def still(metrics: list[Any] | None = None) -> Sequential:
    """A model that predicts 0 and never learns: the loss of a row is its target's square."""
    model = Sequential([Input((1,)), Dense(1, kernel_initializer="zeros")])
    model.compile(SGD(0.0), "mse", metrics=metrics)
    return model


def test_steps_go_on_where_the_epoch_before_ended() -> None:
    fitted = still().fit(X, Y, batch_size=1, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
    assert fitted.history["loss"] == [0.5, 6.5, 16, 0.5]


def test_validation_data_that_have_ended_are_an_error() -> None:
    def once() -> Iterator[tuple[Array, Array]]:
        yield X, Y

    with pytest.raises(DataError, match=r"validation_data: expected at least one batch.*goes on"):
        still().fit(X, Y, validation_data=once(), epochs=2, verbose=0)


def test_an_epoch_stopped_before_its_first_batch_is_not_told() -> None:
    class Stop(Callback):
        def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
            self.model.stop_training = epoch == 1

    best = EarlyStopping("loss", patience=5)
    history = still().fit(X, Y, epochs=3, verbose=0, callbacks=[Stop(), best]).history
    assert history == {"loss": [6]}
    assert best.best == 6


def test_what_is_told_of_a_batch_stays_as_it_was() -> None:
    kept: list[Any] = []

    class Keep(Callback):
        def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
            assert logs == {}

        def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
            kept.append(logs)

    still(["mae"]).fit(X, Y, batch_size=1, shuffle=False, verbose=0, callbacks=Keep())
    assert [logs["loss"] for logs in kept] == pytest.approx([0, 0.5, 5 / 3, 3.5, 6])
    assert [logs["mae"] for logs in kept] == pytest.approx([0, 0.5, 1, 1.5, 2])
    kept[0]["more"] = 1
    assert "more" not in kept[0].copy() or "more" not in kept[1]


def test_hooks_of_an_evaluation_know_how_many_batches_there_are() -> None:
    told: list[dict[str, Any]] = []

    class Ask(Callback):
        def on_test_begin(self, logs: Logs | None = None) -> None:
            told.append(self.params)

        def on_predict_begin(self, logs: Logs | None = None) -> None:
            told.append(self.params)

    model = still()
    model.evaluate(X, Y, batch_size=2, callbacks=[Ask()])
    model.predict(X, batch_size=4, callbacks=[Ask()])
    assert [params["steps"] for params in told] == [3, 2]


def test_figures_of_each_class_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([Input((1,)), Dense(2, activation="softmax", kernel_initializer="zeros")])
    model.compile("sgd", "categorical_crossentropy", metrics=["f1_score"])
    model.fit(X, np.eye(2)[[0, 1, 0, 1, 0]])
    assert "f1_score: [0.75 0.5714]" in capsys.readouterr().out


def test_one_batch_gives_the_loss_alone_where_there_are_no_metrics() -> None:
    assert still().train_on_batch(X, Y) == still().test_on_batch(X, Y) == 6
    assert still(["mae"]).train_on_batch(X, Y) == [6, 2]


def test_epochs_with_a_validation_may_be_named() -> None:
    model = still()
    fitted = model.fit(
        X, Y, validation_data=(X, Y), validation_freq=[1, 3], epochs=4, verbose=0
    ).history
    assert (len(fitted["loss"]), len(fitted["val_loss"])) == (4, 2)
    with pytest.raises(ParameterError, match="validation_freq"):
        model.fit(X, Y, validation_data=(X, Y), validation_freq=[0], verbose=0)


def test_a_weight_for_each_class_needs_one_class_per_sample() -> None:
    model = Sequential(
        [Input((5, 1)), LSTM(2, return_sequences=True), Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(DataError, match="one class number per sample"):
        model.fit(X[None], Y.T % 3, class_weight={0: 1.0, 1: 50.0}, verbose=0)


def test_a_layer_may_be_frozen_until_training_has_begun() -> None:
    model = Sequential([Input((1,)), Dense(2), Dense(1)])
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    kernel, _, last, _ = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert np.array_equal(kernel, model.get_weights()[0])
    assert not np.array_equal(last, model.get_weights()[2])
