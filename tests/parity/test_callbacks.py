"""Trainings with callbacks beside Keras': the same epochs, rates, weights and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, callbacks
from studio.engine.layers import Dense
from studio.engine.workspace import Array
from tests.parity.compare import difference, keras

EPOCHS = 14
LIMIT = 1e-4


def data() -> tuple[Array, Array]:
    """Few noisy numbers, which a model soon learns by heart."""
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 6)).astype("f4")
    return x, (x[:, :1] + random.normal(size=(40, 1))).astype("f4")


def pair(rate: float = 0.1) -> tuple[Sequential, Any]:
    """The same model in both."""
    ours = Sequential([Input((6,)), Dense(12, "tanh"), Dense(1)], seed=4)
    dense = keras.layers.Dense
    theirs = keras.Sequential([keras.Input((6,)), dense(12, "tanh"), dense(1)])
    theirs.set_weights(ours.get_weights())
    ours.compile({"class_name": "SGD", "config": {"learning_rate": rate}}, "mse", metrics=["mae"])
    theirs.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return ours, theirs


def compare(make: Callable[[Any], Any], rate: float = 0.1) -> tuple[Any, Any]:
    """Train with the callback that ``make`` gets of each library; return both."""
    ours, theirs = pair(rate)
    x, y = data()
    made = make(callbacks), make(keras.callbacks)
    options: Any = {"epochs": EPOCHS, "batch_size": 10, "shuffle": False, "verbose": 0,
                    "validation_split": 0.4}  # fmt: skip
    found = ours.fit(x, y, callbacks=[made[0]], **options)
    expected = theirs.fit(x, y, callbacks=[made[1]], **options)
    assert found.epoch == expected.epoch
    assert found.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        assert difference(found.history[name], values) <= LIMIT, name
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert difference(one, other) <= LIMIT
    assert ours.history is found
    return made


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"patience": 2, "restore_best_weights": True},
        {"patience": 3, "min_delta": 0.05, "restore_best_weights": True},
        {"patience": 1, "start_from_epoch": 6, "restore_best_weights": True},
        {"patience": 2, "baseline": 0.1},
        {"monitor": "mae", "patience": 1, "mode": "max"},
        {"monitor": "val_mae", "patience": 2, "mode": "min"},
        {"monitor": "loss", "patience": 50, "restore_best_weights": True},
    ],
    ids=str,
)
def test_early_stopping(options: dict[str, Any]) -> None:
    ours, theirs = compare(lambda module: module.EarlyStopping(**options))
    assert ours.stopped_epoch == theirs.stopped_epoch
    assert ours.best_epoch == theirs.best_epoch


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5, "min_delta": 0.02},
        {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": 0.04},
        {"patience": 1, "monitor": "val_mae", "mode": "min"},
    ],
    ids=str,
)
def test_reduce_lr_on_plateau(options: dict[str, Any]) -> None:
    compare(lambda module: module.ReduceLROnPlateau(**options), rate=0.3)


@pytest.mark.parametrize(
    "schedule",
    [lambda epoch, rate: rate * 0.9 if epoch > 2 else rate, lambda epoch: 0.1 / (1 + epoch)],
)
def test_learning_rate_scheduler(schedule: Any) -> None:
    compare(lambda module: module.LearningRateScheduler(schedule))


@pytest.mark.parametrize("append", [False, True])
def test_csv_logger(append: bool, tmp_path: Path) -> None:
    def make(module: Any) -> Any:
        name = "ours" if module is callbacks else "theirs"
        return module.CSVLogger(tmp_path / f"{name}.csv", append=append)

    compare(make)
    compare(make)
    tables = [(tmp_path / f"{name}.csv").read_text().split() for name in ("ours", "theirs")]
    assert len(tables[0]) == len(tables[1]) == 1 + EPOCHS * (1 + append)
    assert tables[0][0] == tables[1][0]
    for ours, theirs in zip(tables[0][1:], tables[1][1:], strict=True):
        one, other = ([float(cell) for cell in row.split(",")] for row in (ours, theirs))
        np.testing.assert_allclose(one, other, rtol=LIMIT)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"save_best_only": True},
        {"save_weights_only": True, "save_best_only": True, "monitor": "val_mae", "mode": "min"},
        {"save_freq": 5, "save_weights_only": True},
        {"save_best_only": True, "initial_value_threshold": 1.5},
    ],
    ids=str,
)
def test_model_checkpoint(options: dict[str, Any], tmp_path: Path) -> None:
    ending = ".weights.h5" if options.get("save_weights_only") else ".keras"
    batch = "-{batch}" if "save_freq" in options else ""

    def make(module: Any) -> Any:
        folder = tmp_path / ("ours" if module is callbacks else "theirs")
        folder.mkdir()
        return module.ModelCheckpoint(str(folder / f"{{epoch:02d}}{batch}{ending}"), **options)

    compare(make)
    ours, theirs = (
        sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("ours", "theirs")
    )
    assert ours == theirs
    assert ours
    one, other = pair()
    for name in (ours[0], ours[-1]):
        one.load_weights(tmp_path / "ours" / name)
        other.load_weights(tmp_path / "theirs" / name)
        for weight, expected in zip(one.get_weights(), other.get_weights(), strict=True):
            assert difference(weight, expected) <= LIMIT


def test_hooks_are_called_in_the_same_order() -> None:
    calls: dict[str, list[str]] = {"ours": [], "theirs": []}
    hooks = [
        *(f"on_{part}_{end}" for part in ("train", "epoch", "test", "predict", "batch")
          for end in ("begin", "end")),
        *(f"on_{part}_batch_{end}" for part in ("train", "test", "predict")
          for end in ("begin", "end")),
    ]  # fmt: skip

    def listener(module: Any, name: str) -> Any:
        def hook(which: str) -> Any:
            def called(self: Any, *args: Any, **kwargs: Any) -> None:
                calls[name].append(f"{which} {[a for a in args if isinstance(a, int)]}")

            return called

        aliased = [hook for hook in hooks if "train_batch" not in hook]
        return type("Listener", (module.Callback,), {which: hook(which) for which in aliased})()

    x, y = data()
    for module, model, name in zip(
        (callbacks, keras.callbacks), pair(), ("ours", "theirs"), strict=True
    ):
        chosen = [listener(module, name)]
        options: Any = {"batch_size": 16, "verbose": 0, "callbacks": chosen}
        model.fit(x, y, epochs=2, validation_data=(x, y), **options)
        model.evaluate(x, y, **options)
        model.predict(x, **options)
    assert calls["ours"] == calls["theirs"]
