"""Activations by themselves: memory, extremes, and the normal distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studio.engine.activations import (
    Activation,
    Gelu,
    Glu,
    Linear,
    Softmax,
    Sparsemax,
    activations,
)
from studio.engine.activations.normal import normal
from studio.engine.errors import ShapeError
from studio.engine.plan import at_once
from studio.engine.workspace import Workspace

every_activation = pytest.mark.parametrize("cls", list(activations), ids=lambda cls: cls.__name__)


def made(cls: type[Activation]) -> Activation:
    """The activation with its defaults, or zeros where it has none."""
    return cls(**{name: 0.5 for name, param in cls.params.items() if param.required})


@every_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_may_go_where_they_are_wanted(cls: type[Activation], dtype: str) -> None:
    activation = made(cls)
    z = np.random.default_rng(0).normal(size=(5, 8)).astype(dtype) * 4
    kept = z.copy()
    y = activation.forward(z).copy()
    np.testing.assert_array_equal(z, kept)
    assert y.dtype == dtype
    out = np.empty_like(y)
    np.testing.assert_array_equal(activation.forward(z, out=out), y)
    # Layers rely on this, but for the one that does nothing.
    fills = not isinstance(activation, Linear)
    assert not fills or np.array_equal(out, y)
    if activation.saves == "output":
        np.testing.assert_array_equal(activation.forward(z.copy(), out=z.copy()), y)
        again = z.copy()
        np.testing.assert_array_equal(activation.forward(again, out=again), y)
    dy = np.cos(np.arange(y.size, dtype=dtype)).reshape(y.shape)
    saved = y if activation.saves == "output" else z
    dz = activation.backward(dy, saved).copy()
    assert dz.dtype == dtype
    np.testing.assert_array_equal(dy, np.cos(np.arange(y.size, dtype=dtype)).reshape(y.shape))
    assert dz.shape == z.shape
    out = np.empty_like(z)
    np.testing.assert_array_equal(activation.backward(dy, saved, out=out), dz)
    assert not fills or np.array_equal(out, dz)
    if y.shape == z.shape:
        np.testing.assert_array_equal(activation.backward(dy, saved, out=dy), dz)


@every_activation
def test_what_layers_keep_leads_back(cls: type[Activation]) -> None:
    activation = made(cls)
    z = np.random.default_rng(0).normal(size=(5, 8)) * 4
    y = activation.forward(z).copy()
    dy = np.cos(np.arange(y.size, dtype=z.dtype)).reshape(y.shape)
    dz = activation.backward(dy, y if activation.saves == "output" else z).copy()
    kept, out = z.copy(), np.empty_like(y)
    place = kept if activation.saves == "output" and y.shape == z.shape else out
    activation.lay(kept, place, at_once)
    np.testing.assert_array_equal(place, y)
    kept = place if activation.saves == "output" else kept
    activation.lay_back(dy, kept, found := np.empty_like(z), Workspace(), at_once)
    np.testing.assert_array_equal(found, dz)


@every_activation
def test_a_slope_is_a_finite_difference(cls: type[Activation]) -> None:
    activation = made(cls)
    random = np.random.default_rng(0)
    z = random.normal(size=(7, 8)) * 2
    saved = activation.forward(z).copy() if activation.saves == "output" else z
    dy = random.normal(size=activation.forward(z).shape)
    along, step = random.normal(size=z.shape), 1e-6
    rise = activation.forward(z + step * along) - activation.forward(z - step * along)
    expected = float((rise * dy).sum()) / (2 * step)
    found = float((activation.backward(dy, saved) * along).sum())
    assert abs(found - expected) <= 1e-6 * max(1, abs(expected))


@every_activation
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_numbers_stay_finite(cls: type[Activation], dtype: str) -> None:
    activation = made(cls)
    top = float(np.finfo(dtype).max) / 4
    z = np.array([[-top, -1e9, -1e4, -100, 0, 1e-30, 100, 1e4, 1e9, top]], dtype)
    z = np.minimum(z, 80) if cls.__name__ == "Exponential" else z
    y = activation.forward(z)
    assert np.isfinite(y).all(), y
    dz = activation.backward(np.ones_like(y), y if activation.saves == "output" else z)
    assert np.isfinite(dz).all(), dz


def test_the_normal_distribution_has_all_digits() -> None:
    z = np.linspace(-37, 9, 4001)
    exact = np.array([math.erfc(-number / math.sqrt(2)) / 2 for number in z])
    # exp(-z²/2) multiplies the rounding of z² by up to 700.
    found = normal(z)[0]
    np.testing.assert_allclose(found, exact, rtol=5e-13)
    near = np.abs(z) < 3
    np.testing.assert_allclose(found[near], exact[near], rtol=3e-15)
    single = normal(z.astype("float32"))[0]
    assert single.dtype == "float32"
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=2e-7)


def test_the_normal_density_is_the_slope_of_the_distribution() -> None:
    z, step = np.linspace(-6, 6, 101), 1e-5
    rise = (normal(z + step)[0] - normal(z - step)[0]) / (2 * step)
    np.testing.assert_allclose(normal(z)[1], rise, atol=1e-9)


def test_gelu_keeps_the_digits_of_small_numbers() -> None:
    z = np.array([-8.0, -20.0])
    exact = [number * math.erfc(-number / math.sqrt(2)) / 2 for number in z]
    np.testing.assert_allclose(Gelu().forward(z), exact, rtol=1e-12)


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    y = Sparsemax().forward(np.array([[0.5, 0.4, -3.0], [9.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(y, [[0.55, 0.45, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-15)
    shifted = Sparsemax().forward(np.array([[1e6 + 0.5, 1e6 + 0.25]], "float32"))
    np.testing.assert_allclose(shifted, [[0.625, 0.375]])


@pytest.mark.parametrize("axis", [0, 3, -4, -3])
def test_an_axis_that_is_not_there_is_refused(axis: int) -> None:
    with pytest.raises(ShapeError, match="axis from 1 to 2"):
        Softmax(axis).compute_output_shape((None, 4, 5))


def test_glu_halves_an_even_number() -> None:
    assert Glu().compute_output_shape((None, 3, 8)) == (None, 3, 4)
    with pytest.raises(ShapeError, match="even number"):
        Glu().compute_output_shape((None, 3, 7))
