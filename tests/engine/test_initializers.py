"""Initializers, regularizers and constraints without Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, constraints, initializers, regularizers
from studio.engine.callbacks import Callback, Logs
from studio.engine.errors import ParameterError, ShapeError, StudioError
from studio.engine.initializers import Initializer
from studio.engine.layers import Dense
from studio.engine.params import Declared
from studio.engine.plan import Calls
from studio.engine.registry import Registry
from studio.engine.regularizers import Regularizer

CLASSES = list(initializers.initializers)
REGISTRIES: list[Registry[Any]] = [
    initializers.initializers, regularizers.regularizers, constraints.constraints,
]  # fmt: skip
ALL = [(registry, cls) for registry in REGISTRIES for cls in registry]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_seed_fixes_the_numbers(cls: type[Initializer]) -> None:
    shape = (6, 5)
    streams = [np.random.default_rng(number) for number in (1, 1, 2)]
    same, again, other = (cls()(shape, "float64", stream) for stream in streams)
    np.testing.assert_array_equal(same, again)
    assert same.dtype == np.float64 and same.shape == shape
    if "seed" in cls.params:
        assert not np.array_equal(same, other)
        one, two = (cls(seed=4)(shape, random=np.random.default_rng(n)) for n in (1, 2))
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("registry", "cls"), ALL, ids=lambda item: getattr(item, "__name__", ""))
def test_a_configuration_makes_an_equal(registry: Registry[Any], cls: type[Declared]) -> None:
    base = {name: end for name, end in (("minval", -9), ("maxval", 9)) if name in cls.params}
    for param in cls.params.values():
        for value in param.samples()[0]:
            made = cls(**base | {param.name: value})
            assert registry.make(registry.serialize(made)) == made
        for value in param.samples()[1]:
            with pytest.raises(StudioError):
                cls(**base | {param.name: value})


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="matrix"):
        initializers.Identity()((2, 2, 2))
    with pytest.raises(ShapeError, match="two dimensions"):
        initializers.Orthogonal()((3,))
    with pytest.raises(ParameterError, match="at least 1"):
        initializers.RandomUniform(1, 0)
    model = Sequential([Dense(2, bias_initializer="orthogonal")])
    with pytest.raises(ShapeError):
        model.build((None, 3))


@pytest.mark.parametrize("cls", list(regularizers.regularizers), ids=lambda cls: cls.__name__)
def test_gradients_of_penalties(cls: type[Regularizer]) -> None:
    penalty = cls(**{name: 0.3 for name in ("l1", "l2", "factor") if name in cls.params})
    w = np.random.default_rng(0).normal(size=(4, 3))
    for place in np.ndindex(*w.shape):
        up, down = w.copy(), w.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        slope = (penalty(up) - penalty(down)) / 2e-6
        assert penalty.gradient(w)[place] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("cls", list(regularizers.regularizers), ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("shape", [(4, 3), (256, 130)])
def test_what_penalties_add_in_training(cls: type[Regularizer], shape: tuple[int, int]) -> None:
    penalty = cls(**{name: 0.3 for name in ("l1", "l2", "factor") if name in cls.params})
    random = np.random.default_rng(0)
    w, total = random.normal(size=(2, *shape)).astype("float32")
    expected, calls = total + 2 * penalty.gradient(w), Calls()
    penalty.lay(w, total, np.empty_like(w), calls)
    calls.make()
    calls.make()
    np.testing.assert_allclose(total, expected, rtol=1e-5, atol=1e-5)


def test_a_penalty_changed_in_training_counts_from_then_on() -> None:
    class Weaken(Callback):
        def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
            if batch == 1:
                penalty.l2 = 0.0

    penalty = regularizers.L2(1.0)
    model = Sequential([Input((3,)), Dense(2, kernel_regularizer=penalty)], seed=0)
    model.compile("sgd", "mse")
    before = model.get_weights()[0].copy()
    # Without inputs there is no gradient but that of the penalty.
    nothing = np.zeros((5, 3)), np.zeros((5, 2))
    model.fit(*nothing, batch_size=1, verbose=0, callbacks=[Weaken()])
    np.testing.assert_allclose(model.get_weights()[0], before * 0.98**2, rtol=1e-6)


def test_an_orthogonal_penalty_of_rows_without_direction() -> None:
    penalty = regularizers.OrthogonalRegularizer()
    zeros = np.zeros((3, 4), "float32")
    for w in (zeros, zeros[:1]):
        assert penalty(w) == 0
        np.testing.assert_array_equal(penalty.gradient(w), 0 * w)


def test_constraints_hold_after_each_update() -> None:
    x = np.random.default_rng(0).normal(size=(32, 4))
    kept = {"kernel_constraint": "unit_norm", "bias_constraint": "non_neg"}
    model = Sequential([Input((4,)), Dense(3, **kept)], seed=0)
    model.compile("adam", "mse")
    model.fit(x, -np.ones((32, 3)), epochs=3, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    assert (bias >= 0).all()
