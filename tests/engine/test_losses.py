"""Losses without Keras: derivatives, numbers that are extreme, targets that make no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, losses
from studio.engine.errors import DataError, ParameterError, ShapeError
from studio.engine.layers import Dense
from studio.engine.losses import Loss
from studio.engine.plan import Calls
from studio.engine.workspace import Array, Workspace

every_loss = pytest.mark.parametrize("cls", list(losses.losses), ids=lambda cls: cls.__name__)
LOGITS = [cls for cls in losses.losses if "from_logits" in cls.params]


def data(loss: Loss, dtype: str = "float64") -> tuple[Array, Array]:
    """Targets and predictions that suit the loss, away from where it has a corner."""
    random = np.random.default_rng(7)
    shape = (5, 3)
    name = type(loss).__name__
    y: Array = random.normal(size=shape)
    p: Array = random.uniform(0.1, 0.9, shape)
    if name in ("Poisson", "MeanSquaredLogarithmicError"):
        y = random.poisson(3, shape)
    elif "binary" in loss.kinds:
        y = random.integers(0, 2, shape)
    elif name.startswith("Sparse"):
        y = random.integers(0, 3, 5)
    elif "multiclass" in loss.kinds:
        y = np.eye(3)[random.integers(0, 3, 5)]
    if getattr(loss, "from_logits", False):
        p = random.normal(size=shape) * 3
    return y.astype(dtype), p.astype(dtype)


def variants(cls: type[Loss]) -> list[Loss]:
    """With defaults, on logits, smoothed."""
    options: list[dict[str, Any]] = [{}]
    options += [{"from_logits": True}] * ("from_logits" in cls.params)
    options += [{"label_smoothing": 0.1}] * ("label_smoothing" in cls.params)
    options += [{"gamma": 0.5}] * ("gamma" in cls.params)
    return [cls(**more) for more in options]


@every_loss
def test_gradients_are_the_differences_of_values(cls: type[Loss]) -> None:
    for loss in variants(cls):
        y, p = data(loss)
        step = 1e-6
        expected = np.empty_like(p)
        for place in np.ndindex(*p.shape):
            up, down = p.copy(), p.copy()
            up[place] += step
            down[place] -= step
            expected[place] = (loss.values(y, up) - loss.values(y, down)).sum() / (2 * step)
        values, gradient = loss.values_and_gradient(y, p)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(gradient, loss.gradient(y, p), rtol=1e-12)
        np.testing.assert_allclose(values, loss.values(y, p), rtol=1e-12)


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_of_the_type_of_the_predictions(cls: type[Loss], dtype: str) -> None:
    for loss in variants(cls):
        y, p = data(loss, dtype)
        before = y.copy(), p.copy()
        values, gradient = loss.values_and_gradient(y, p)
        assert values.dtype == gradient.dtype == dtype
        assert values.shape == p.shape[:-1] and gradient.shape == p.shape
        # Training scales the gradient in place.
        assert not np.shares_memory(gradient, p) and not np.shares_memory(gradient, y)
        np.testing.assert_array_equal(before[0], y)
        np.testing.assert_array_equal(before[1], p)


@every_loss
def test_what_is_laid_out_finds_the_same_in_every_step(cls: type[Loss]) -> None:
    for loss in variants(cls):
        y, p = data(loss, "float32")
        calls = Calls()
        values, gradient = loss.lay(y, p, Workspace(), calls)
        for _ in range(2):
            y[:], p[:] = y[::-1].copy(), p[::-1].copy()
            calls.make()
            expected = loss.values_and_gradient(y, p)
            np.testing.assert_array_equal(values, expected[0])
            np.testing.assert_array_equal(gradient, expected[1])


@pytest.mark.parametrize("cls", LOGITS, ids=lambda cls: cls.__name__)
def test_enormous_logits_stay_finite(cls: Any) -> None:
    loss = cls(from_logits=True)
    y, _ = data(loss, "float32")
    for scale in (80, 1e4, 1e30):
        p = np.array([[scale, -scale, 0]] * 5, "float32")
        values, gradient = loss.values_and_gradient(y, p)
        assert np.isfinite(values).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("cls", LOGITS, ids=lambda cls: cls.__name__)
def test_certain_probabilities_stay_finite(cls: Any) -> None:
    y, _ = data(cls(), "float32")
    p = np.array([[1, 0, 0]] * 5, "float32")
    values, gradient = cls().values_and_gradient(y, p)
    assert np.isfinite(values).all() and np.isfinite(gradient).all()


NONSENSE: list[tuple[str, Any, tuple[int, ...], type[Exception], str]] = [
    ("bce", [0, 2], (2, 1), DataError, "targets from 0 to 1, found 2 in row 1"),
    ("bce", [-1, 1], (2, 1), DataError, "found -1 in row 0"),
    ("bce", [0, 1, 1], (3, 2), ShapeError, "2 per sample"),
    ("cce", [[0, 3]], (1, 2), DataError, "targets from 0 to 1"),
    ("cce", [0, 1], (2, 3), ShapeError, "Sparse categorical crossentropy"),
    ("cce", [[0], [1]], (2, 3), ShapeError, "Sparse categorical crossentropy"),
    ("sparse_categorical_crossentropy", [0, 3], (2, 3), DataError, "0 to 2, found 3 in row 1"),
    ("sparse_categorical_crossentropy", [0.5, 1], (2, 3), DataError, "found 0.5 in row 0"),
    ("sparse_categorical_crossentropy", [-1, 1], (2, 3), DataError, "found -1"),
    ("sparse_categorical_crossentropy", np.eye(3), (3, 3), ShapeError, "one-hot"),
    ("sparse_categorical_crossentropy", [[0, 1]], (1, 3), ShapeError, "one class number"),
    ("poisson", [[-1.0]], (1, 1), DataError, "at least 0"),
    ("hinge", [[0.0], [-1.0]], (2, 1), DataError, "two classes"),
    ("hinge", [[0.3], [1.0]], (2, 1), DataError, "found 0.3 in row 0"),
    ("kl_divergence", [[1.5, 0]], (1, 2), DataError, "probabilities"),
    ("mse", [[1, 2]], (1, 3), ShapeError, "3 per sample"),
    ("mse", [1, 2, 3], (2, 1), ShapeError, "targets of the output's shape"),
]


@pytest.mark.parametrize(("name", "y", "shape", "error", "text"), NONSENSE)
def test_targets_that_make_no_sense(
    name: str, y: Any, shape: tuple[int, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        losses.get(name)(y, np.full(shape, 0.3))


def test_the_length_of_alpha() -> None:
    loss = losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2])
    with pytest.raises(ShapeError, match="alpha"):
        loss(np.eye(3), np.full((3, 3), 0.3))


def test_an_unknown_reduction() -> None:
    with pytest.raises(ParameterError, match="sum_over_batch_size"):
        losses.MeanSquaredError(reduction="average")
    assert losses.MeanSquaredError(None).reduction == "none"
    assert losses.MeanSquaredError("mean").reduction == "sum_over_batch_size"


@every_loss
def test_a_configuration_makes_an_equal_loss(cls: type[Loss]) -> None:
    for loss in variants(cls):
        assert losses.get(losses.serialize(loss)) == loss
        assert cls.help and (cls.kinds or cls.__name__.startswith("Sparse"))


def test_functions_in_compile() -> None:
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", losses.mean_squared_error, metrics=[losses.mean_absolute_error])
    assert type(model.loss) is losses.MeanSquaredError
    x = np.zeros((4, 2))
    history = model.fit(x, np.ones(4), verbose=0).history
    assert set(history) == {"loss", "mean_absolute_error"}


def test_ignored_classes_are_cut_as_one() -> None:
    """The mean over those that count is the same on any number of threads."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(64, 300)), random.integers(-1, 3, 64)
    weights: list[Any] = []
    for threads in (1, 4):
        model = Sequential([Input((300,)), Dense(400, "relu"), Dense(3)], seed=1, threads=threads)
        loss = losses.SparseCategoricalCrossentropy(True, ignore_class=-1)
        model.compile("sgd", loss)
        model.fit(x, y, batch_size=64, verbose=0)
        weights.append(np.concatenate([weight.ravel() for weight in model.get_weights()]))
    assert weights[0].tobytes() == weights[1].tobytes()
