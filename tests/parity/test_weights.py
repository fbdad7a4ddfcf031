"""Initializers, regularizers and constraints beside Keras'."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

from studio.engine import constraints, initializers, regularizers
from studio.engine.constraints import Constraint
from studio.engine.initializers import Initializer
from studio.engine.regularizers import OrthogonalRegularizer, Regularizer
from studio.engine.workspace import Array
from tests.parity.compare import TOLERANCE, difference, keras, numpy_of, torch

SHAPES = [(6, 4), (4, 6), (3, 2, 2, 5), (7,)]

REGULARIZERS: list[Regularizer] = [
    regularizers.L1(0.3),
    regularizers.L2(0.3),
    regularizers.L1L2(0.1, 0.2),
    regularizers.L1L2(),
    OrthogonalRegularizer(),
    OrthogonalRegularizer(0.5, mode="columns"),
]


def weights(shape: tuple[int, ...]) -> Array:
    """Random weights."""
    return np.random.default_rng(prod(shape)).normal(size=shape).astype("f4")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ours", REGULARIZERS, ids=str)
def test_regularizers(ours: Regularizer, shape: tuple[int, ...]) -> None:
    if isinstance(ours, OrthogonalRegularizer) and len(shape) != 2:
        with pytest.raises(ValueError, match="matrix"):
            ours(weights(shape))
        return
    w = weights(shape)
    theirs = getattr(keras.regularizers, type(ours).__name__).from_config(ours.get_config())
    tensor = torch.tensor(w, requires_grad=True)
    expected = theirs(tensor)
    if expected.requires_grad:
        expected.backward()
    gradient = np.zeros(shape) if tensor.grad is None else numpy_of(tensor.grad)
    assert difference(ours(w), numpy_of(expected)) <= TOLERANCE
    assert difference(ours.gradient(w), gradient) <= TOLERANCE
    assert ours.gradient(w).dtype == w.dtype


CONSTRAINTS: list[Constraint] = [
    constraints.MaxNorm(),
    constraints.MaxNorm(0.5, axis=1),
    constraints.MaxNorm(0.5, axis=[0, 1]),
    constraints.NonNeg(),
    constraints.UnitNorm(),
    constraints.UnitNorm(axis=-1),
    constraints.MinMaxNorm(),
    constraints.MinMaxNorm(0.5, 0.9, 0.3, axis=1),
    constraints.MinMaxNorm(3, 9, 0.3),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ours", CONSTRAINTS, ids=str)
def test_constraints(ours: Constraint, shape: tuple[int, ...]) -> None:
    w = weights(shape)
    axis = ours.get_config().get("axis", 0)
    if len(shape) == 1 and axis not in (0, -1):
        with pytest.raises(ValueError, match="axis"):
            ours(w)
        return
    theirs = getattr(keras.constraints, type(ours).__name__).from_config(ours.get_config())
    found = ours(w)
    assert difference(found, numpy_of(theirs(torch.tensor(w)))) <= TOLERANCE
    assert found.dtype == w.dtype


INITIALIZERS: list[Initializer] = [
    initializers.Zeros(),
    initializers.Ones(),
    initializers.Constant(0.3),
    initializers.RandomNormal(0.5, 0.2),
    initializers.RandomUniform(-0.3, 0.8),
    initializers.TruncatedNormal(0.5, 0.2),
    initializers.GlorotNormal(),
    initializers.GlorotUniform(),
    initializers.HeNormal(),
    initializers.HeUniform(),
    initializers.LecunNormal(),
    initializers.LecunUniform(),
    *(
        initializers.VarianceScaling(1.5, mode, distribution)
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("uniform", "truncated_normal", "untruncated_normal", "normal")
    ),
]


@pytest.mark.parametrize("shape", [(150, 250), (3, 3, 60, 80)], ids=str)
@pytest.mark.parametrize("ours", INITIALIZERS, ids=str)
def test_initializers_draw_from_the_same_distribution(
    ours: Initializer, shape: tuple[int, ...]
) -> None:
    """Mean, spread and limits are those of Keras within what that many numbers leave to chance."""
    config = {name: value for name, value in ours.get_config().items() if name != "seed"}
    theirs = getattr(keras.initializers, type(ours).__name__).from_config(config)
    found = ours(shape, random=np.random.default_rng(0))
    expected = numpy_of(theirs(shape, dtype="float32"))
    assert found.dtype == np.float32 and found.shape == shape
    if expected.std() == 0:
        np.testing.assert_array_equal(found, expected)
        return
    chance = 5 / np.sqrt(found.size)
    assert abs(found.mean() - expected.mean()) <= chance * expected.std()
    assert abs(found.std() / expected.std() - 1) <= chance
    for quantile in (0.01, 0.25, 0.75, 0.99):
        apart = np.quantile(found, quantile) - np.quantile(expected, quantile)
        assert abs(apart) <= 5 * chance * expected.std()
    if "Uniform" in type(ours).__name__ or "truncated" in repr(ours) or "Normal" in repr(ours):
        widest = np.abs(found - found.mean()).max() / np.abs(expected - expected.mean()).max()
        assert 0.75 < widest < 1.33


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5)], ids=str)
def test_orthogonal(shape: tuple[int, ...]) -> None:
    for make in (initializers.Orthogonal(2.0), keras.initializers.Orthogonal(2.0)):
        w = np.asarray(make(shape, "float32")).reshape(-1, shape[-1])
        gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
        np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_identity() -> None:
    ours, theirs = initializers.Identity(0.5)((3, 5)), keras.initializers.Identity(0.5)((3, 5))
    np.testing.assert_array_equal(ours, numpy_of(theirs))


def test_names_are_those_of_keras() -> None:
    pairs: list[tuple[Any, Any, set[str]]] = [
        (initializers, keras.initializers, {"stft", "STFT", "STFTInitializer"}),
        (regularizers, keras.regularizers, set()),
        (constraints, keras.constraints, set()),
    ]
    for ours, theirs, without in pairs:
        names = {name for name in dir(theirs) if callable(getattr(theirs, name))}
        aliases = {"IdentityInitializer", "OrthogonalInitializer"}
        assert {name for name in names - without - aliases if not hasattr(ours, name)} == set()
    for name in ("zero", "one", "normal", "uniform", "identity", "orthogonal", "he_normal"):
        expected = type(keras.initializers.get(name)).__name__
        assert type(initializers.get(name)).__name__ == expected
