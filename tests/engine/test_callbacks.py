"""Callbacks without Keras: what ours do differently, and what is wrong with arguments."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, optimizers, schedules
from studio.engine.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from studio.engine.errors import (
    NumericsError,
    ParameterError,
    StateError,
    StudioError,
    UnknownNameError,
)
from studio.engine.layers import Dense
from studio.engine.workspace import Array


def model(rate: Any = 0.01) -> Sequential:
    """A small model."""
    made = Sequential([Input((3,)), Dense(4, "relu"), Dense(1)], seed=1)
    made.compile(optimizers.SGD(rate), "mse", metrics=["mae"])
    return made


def data(rows: int = 20) -> tuple[Array, Array]:
    """Random numbers."""
    random = np.random.default_rng(0)
    return random.normal(size=(rows, 3)), random.normal(size=(rows, 1))


def fit(made: Sequential, *chosen: Callback, **options: Any) -> dict[str, list[Any]]:
    """The history of some epochs with callbacks."""
    more: Any = {"epochs": 4, "batch_size": 5, "verbose": 0} | options
    return made.fit(*data(), callbacks=list(chosen), **more).history


def test_a_training_that_explodes_ends_at_the_last_finite_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, ended = model(1e9), TerminateOnNaN()
    history = fit(made, ended, epochs=50)
    assert len(history["loss"]) < 50
    assert math.isnan(history["loss"][-1])
    assert all(math.isfinite(loss) for loss in history["loss"][:-1])
    assert all(np.isfinite(weight).all() for weight in made.get_weights())
    assert "terminating training" in capsys.readouterr().out
    made.compile(optimizers.SGD(0.0), "mse")
    assert math.isfinite(fit(model(), ended)["loss"][-1]), "it can be used again"


@pytest.mark.parametrize("chosen", [[], [TerminateOnNaN(raise_error=True)]], ids=["none", "raise"])
def test_otherwise_it_is_an_error(chosen: list[Callback]) -> None:
    with pytest.raises(NumericsError, match="epoch"):
        fit(model(1e9), *chosen, epochs=50)


def test_functions_at_hooks() -> None:
    seen: list[Any] = []
    chosen = LambdaCallback(
        on_train_begin=lambda logs: seen.append("begin"),
        on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
        on_test_end=lambda logs: seen.append("tested"),
    )
    fit(model(), chosen, epochs=2, validation_split=0.2)
    names = ["loss", "mae", "val_loss", "val_mae"]
    assert seen == ["begin", "tested", (0, names), "tested", (1, names)]
    with pytest.raises(UnknownNameError, match="on_epoch_end"):
        LambdaCallback(on_epoch_ends=print)


def test_older_names_of_batch_hooks() -> None:
    class Old(Callback):
        batches: list[int] = []  # noqa: RUF012

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches.append(batch)
            assert logs["loss"] >= 0

    fit(model(), Old(), epochs=2)
    assert Old.batches == [0, 1, 2, 3] * 2


def test_outputs_of_a_prediction() -> None:
    parts: list[Any] = []
    chosen = LambdaCallback(on_predict_batch_end=lambda batch, logs: parts.append(logs["outputs"]))
    made = model()
    found = made.predict(data()[0], batch_size=8, callbacks=[chosen])
    np.testing.assert_array_equal(np.concatenate(parts), found)


def test_a_figure_that_is_not_there() -> None:
    with pytest.warns(UserWarning, match="'val_loss', which is not there: loss, mae"):
        fit(model(), EarlyStopping(), epochs=1)


def test_a_figure_whose_better_side_is_unknown() -> None:
    made = model()

    class Own(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["charm"] = 10 - epoch

    with pytest.raises(ParameterError, match="mode='max'"):
        fit(made, Own(), EarlyStopping("charm"))
    history = fit(made, Own(), EarlyStopping("charm", mode="max", patience=1))
    assert history["charm"] == [10, 9]


def test_a_figure_that_is_many_numbers() -> None:
    made = Sequential([Input((3,)), Dense(2)], seed=1)
    made.compile("sgd", "mse", metrics=["F1Score"])
    watch = EarlyStopping("F1Score", mode="max")
    with pytest.raises(ParameterError, match="one number"):
        made.fit(data()[0], np.eye(2)[[0, 1] * 10], callbacks=[watch], verbose=0)


@pytest.mark.parametrize("name", ["accuracy", "AUC", "auc", "loss"])
def test_which_side_of_known_figures_is_better(name: str) -> None:
    made = Sequential([Input((3,)), Dense(1, "sigmoid")], seed=1)
    made.compile("sgd", "bce", metrics=["accuracy", "AUC", "auc"])
    watch = EarlyStopping(name)
    watch.set_model(made)
    assert watch.direction() == ("down" if name == "loss" else "up")


def test_what_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    fit(
        model(),
        EarlyStopping("loss", min_delta=9, patience=2, verbose=1, restore_best_weights=True),
        ReduceLROnPlateau("loss", min_delta=9, patience=1, verbose=1),
        ModelCheckpoint(tmp_path / "m.keras", verbose=1),
    )
    fit(model(), LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1), verbose=1))
    said = capsys.readouterr().out
    for text in ("early stopping", "best epoch: 1", "rate is now 0.001", "rate is 0.1.", "saved "):
        assert text in said, said


@pytest.mark.parametrize(
    "make",
    [
        lambda: LearningRateScheduler(lambda epoch: 0.1),
        lambda: ReduceLROnPlateau("loss", patience=0, min_delta=10),
    ],
)
def test_two_that_set_the_rate(make: Any) -> None:
    with pytest.raises(StateError, match="ExponentialDecay"):
        fit(model(schedules.ExponentialDecay(0.1, 10, 0.5)), make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(patience=-1),
        lambda: EarlyStopping(mode="better"),
        lambda: EarlyStopping(min_delta="much"),  # pyright: ignore[reportArgumentType]
        lambda: ReduceLROnPlateau(factor=1.0),
        lambda: ModelCheckpoint("model.h5"),
        lambda: ModelCheckpoint("model.keras", save_weights_only=True),
        lambda: ModelCheckpoint("model.keras", save_freq="batch"),
        lambda: ModelCheckpoint("model.keras", save_freq=0),
        lambda: CSVLogger("log.csv", append="yes"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_arguments(make: Any) -> None:
    with pytest.raises(ParameterError):
        make()


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for chosen in (
        CSVLogger(tmp_path / "missing" / "log.csv"),
        ModelCheckpoint(tmp_path / "file" / "m.keras"),
        ModelCheckpoint(tmp_path / "{accuracy}.keras"),
        ModelCheckpoint(tmp_path / "{.keras"),
    ):
        with pytest.raises(StudioError):
            fit(model(), chosen)


def test_weights_of_the_best_epoch_as_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "new" / "best.safetensors"
    made = model(0.3)
    history = fit(
        made,
        ModelCheckpoint(path, "loss", save_best_only=True, save_weights_only=True),
        EarlyStopping("loss", patience=9, restore_best_weights=True),
        epochs=9,
    )
    assert min(history["loss"]) < history["loss"][0]
    best = model()
    best.load_weights(path)
    for one, other in zip(best.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_table_of_a_validation_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    fit(model(), CSVLogger(path, separator=";"), validation_split=0.2, validation_freq=2)
    rows = [line.split(";") for line in path.read_text().splitlines()]
    assert rows[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row[3] == "NA" for row in rows[1:]] == [True, False, True, False]
