"""From data to what a network sees: the split, the scaling, the targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from studio.data import prepare as prepare_module
from studio.data.catalogue import catalogue, load
from studio.data.dataset import Dataset
from studio.data.prepare import prepare
from studio.engine import Sequential, callbacks, set_random_seed
from studio.engine.errors import DataError, ParameterError
from studio.engine.layers import Dense

NAMES = [info.name for info in catalogue()]
TABLES = [info.name for info in catalogue() if info.full_scale is None]


def plain_numpy() -> str:
    """The lines of code in the module's docstring."""
    lines = (prepare_module.__doc__ or "").splitlines()
    return "\n".join(line.strip() for line in lines if line.startswith("    "))


def with_arrays(data: Dataset, x: Any, y: Any) -> Dataset:
    return replace(data, x=np.array(x), y=np.array(y))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("split", [0.2, 0.33])
def test_the_documented_lines_give_the_same_bits(name: str, split: float) -> None:
    data = load(name)
    seen: dict[str, Any] = {"np": np, "x": data.x, "seed": 5, "validation_split": split}
    exec(plain_numpy(), seen)
    found = prepare(data, split, 5)
    assert np.array_equal(found.rows_train, seen["training"])
    assert np.array_equal(found.rows_val, seen["validation"])
    assert np.array_equal(found.x_train, seen["x"][seen["training"]])
    assert np.array_equal(found.x_val, seen["x"][seen["validation"]])


@pytest.mark.parametrize("name", ["mnist_5k", "digits"])
def test_pixels_become_the_usual_quotient(name: str) -> None:
    data = load(name)
    found = prepare(data, 0.2, 1)
    usual = data.x.astype("float32") / np.float32(data.info.full_scale)
    assert np.array_equal(found.x_train, usual[found.rows_train])
    assert np.array_equal(found.x_val, usual[found.rows_val])


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_on_one_side(name: str) -> None:
    data = load(name)
    found = prepare(data, 0.25, 9)
    rows = np.concatenate([found.rows_train, found.rows_val])
    assert np.array_equal(np.sort(rows), np.arange(len(data)))
    assert len(found.x_train) == len(found.y_train) == len(found.rows_train)
    assert len(found.x_val) == len(found.y_val) == len(found.rows_val)
    assert {found.x_train.dtype, found.y_train.dtype, found.x_val.dtype} == {np.dtype("float32")}
    if data.info.class_names:
        labels = set(range(len(data.info.class_names)))
        assert set(data.y[found.rows_train]) == set(data.y[found.rows_val]) == labels


@given(split=st.floats(0.01, 0.99))
def test_the_split_is_that_of_fit(split: float) -> None:
    seen: list[Any] = []

    class Spy(callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            seen.append(self.params["steps"])

    data = load("iris")
    found = prepare(data, split, 0)
    model = Sequential([Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.zeros((len(data), 2), "float32")
    model.fit(x, x[:, :1], batch_size=1, validation_split=split, callbacks=[Spy()], verbose=0)
    assert seen == [len(found.x_train)]


@pytest.mark.parametrize("name", TABLES)
def test_training_features_are_standardised(name: str) -> None:
    found = prepare(load(name), 0.2, 3)
    assert np.allclose(found.x_train.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(found.x_train.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_the_validation_part_has_no_say_in_the_scaling(name: str) -> None:
    data = load(name)
    before = prepare(data, 0.2, 3)
    x, y = data.x.copy(), data.y.astype(float)
    x[before.rows_val] *= 100
    y[before.rows_val] = 0
    after = prepare(with_arrays(data, x, y.astype(data.y.dtype)), 0.2, 3)
    assert after.preprocessing == before.preprocessing
    assert np.array_equal(after.x_train, before.x_train)
    assert np.array_equal(after.y_train, before.y_train)
    assert not np.array_equal(after.x_val, before.x_val)


def test_targets_of_several_classes_are_one_hot() -> None:
    data = load("wine")
    found = prepare(data, 0.2, 3)
    assert found.y_train.shape == (142, 3)
    assert (found.y_train.sum(axis=1) == 1).all()
    assert np.array_equal(found.y_train.argmax(axis=1), data.y[found.rows_train])


def test_targets_of_two_classes_are_a_column() -> None:
    data = load("breast_cancer")
    found = prepare(data, 0.2, 3)
    assert np.array_equal(found.y_val, data.y[found.rows_val, None])
    assert found.preprocessing.targets is None


def test_targets_of_a_regression_are_standardised_and_come_back() -> None:
    data = load("diabetes")
    found = prepare(data, 0.2, 3)
    scaling = found.preprocessing.targets
    assert scaling is not None
    assert found.y_train.mean() == pytest.approx(0, abs=1e-6)
    assert found.y_train.std() == pytest.approx(1, abs=1e-6)
    back = scaling.undo(found.y_val)
    assert np.allclose(back[:, 0], data.y[found.rows_val], atol=1e-4)


def test_nothing_need_be_kept_aside() -> None:
    found = prepare(load("iris"), 0, 0)
    assert len(found.x_train) == 150
    assert found.x_val.shape == (0, 4)
    assert found.validation_data is None


def test_validation_data_are_what_fit_takes() -> None:
    found = prepare(load("iris"), 0.2, 0)
    assert found.validation_data is not None
    assert found.validation_data[0] is found.x_val
    assert found.validation_data[1] is found.y_val


def test_equal_seeds_give_equal_bits_and_others_do_not() -> None:
    data = load("iris")
    one, same, other = (prepare(data, 0.2, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.x_train, same.x_train)
    assert not np.array_equal(one.rows_train, other.rows_train)


def test_wrong_splits_are_told() -> None:
    data = load("iris")
    with pytest.raises(ParameterError, match="validation_split: expected a number of at least 0"):
        prepare(data, 1.0, 0)
    with pytest.raises(ParameterError, match="seed: expected a whole number"):
        prepare(data, 0.2, -1)
    with pytest.raises(DataError, match="Iris flowers: expected rows on both sides of the split"):
        prepare(data, 0.999, 0)


def r_squared(target: Any, predicted: Any) -> float:
    return float(1 - np.square(target - predicted).sum() / np.square(target - target.mean()).sum())


def test_a_regression_is_learnt_with_the_usual_settings() -> None:
    """As good as the least squares line; with raw targets, 25 to 346, Adam is far away by then."""
    data = load("diabetes")
    found = prepare(data, 0.2, 1)
    scaling = found.preprocessing.targets
    assert scaling is not None
    raw_train, raw_val = (data.y[rows, None] for rows in (found.rows_train, found.rows_val))

    def learnt(y: Any) -> Any:
        set_random_seed(1)
        model = Sequential([Dense(32, activation="relu", input_shape=(10,)), Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        model.fit(found.x_train, y, epochs=30, batch_size=32, verbose=0)
        return model.predict(found.x_val, verbose=0)

    line = LinearRegression().fit(found.x_train, raw_train).predict(found.x_val)
    assert r_squared(raw_val, scaling.undo(learnt(found.y_train))) > r_squared(raw_val, line) - 0.05
    assert r_squared(raw_val, learnt(raw_train)) < 0
