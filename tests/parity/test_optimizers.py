"""Every optimizer with its options, schedules and constraints beside Keras', 25 steps each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, optimizers, schedules, trainer
from studio.engine.layers import Dense
from studio.engine.workspace import Array
from tests.parity.compare import keras
from tests.parity.compare_models import precision
from tests.parity.worst import note

STEPS = 25
LIMITS = {"float32": 5e-5, "float64": 1e-6}
"""In float32 Keras computes 1 - 0.999 as well, which keeps five digits; ours keeps all."""

OWN: dict[str, list[dict[str, Any]]] = {
    "SGD": [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{"momentum": 0.5}, {"centered": True}, {"momentum": 0.5, "centered": True}],
    "Adam": [{"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "AdamW": [{"weight_decay": 0.1}],
    "Adagrad": [{"initial_accumulator_value": 0.5}],
    "Adadelta": [{"rho": 0.5}],
    "Adamax": [{"beta_2": 0.9}],
    "Nadam": [{"beta_1": 0.5}],
    "Lion": [{"beta_1": 0.5, "beta_2": 0.9}],
}
COMMON: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.05},
    {"clipnorm": 0.3},
    {"clipvalue": 0.05},
    {"global_clipnorm": 0.3},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 3, "use_ema": True, "clipnorm": 0.3, "weight_decay": 0.05},
]
CASES = [
    (cls.__name__, options)
    for cls in optimizers.optimizers
    for options in [*COMMON, *OWN[cls.__name__]]
]


def data(dtype: str = "float32") -> tuple[Array, Array]:
    """Random numbers for 25 batches of 4."""
    random = np.random.default_rng(1)
    x, y = random.normal(size=(100, 3)), random.normal(size=(100, 2))
    return x.astype(dtype), y.astype(dtype)


def models(
    name: str, options: dict[str, Any], rate: Any = 0.01, dtype: str = "float32"
) -> tuple[Sequential, Any]:
    """The same model in both, with a regularizer and a constraint."""
    more: Any = {"kernel_regularizer": "l2", "kernel_constraint": "max_norm", "dtype": dtype}
    ours = Sequential([Input((3,)), Dense(5, "tanh", **more), Dense(2, dtype=dtype)], seed=2)
    dense = keras.layers.Dense
    stack = [keras.Input((3,), dtype=dtype), dense(5, "tanh", **more), dense(2, dtype=dtype)]
    theirs = keras.Sequential(stack)
    theirs.set_weights(ours.get_weights())
    ours.compile(getattr(optimizers, name)(learning_rate=rate, **options), "mse")
    if isinstance(rate, schedules.LearningRateSchedule):
        module = keras.optimizers.schedules
        rate = getattr(module, type(rate).__name__).from_config(rate.get_config())
    theirs.compile(getattr(keras.optimizers, name)(learning_rate=rate, **options), "mse")
    return ours, theirs


def states(ours: Sequential, theirs: Any) -> list[tuple[str, Any, Any]]:
    """What both optimizers remember, in the order of Keras."""
    assert ours.optimizer is not None and ours.parameters is not None
    found = ours.optimizer.variables(ours.parameters)
    expected = [variable.numpy() for variable in theirs.optimizer.variables]
    return [(name, value, other) for (name, value), other in zip(found, expected, strict=True)]


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_each_step(name: str, options: dict[str, Any], dtype: str) -> None:
    """Weights after every one of 25 updates, then the state, and the end of a training."""
    with precision(dtype):
        ours, theirs = models(name, options, dtype=dtype)
        x, y = data(dtype)
        for step in range(STEPS):
            rows = slice(4 * step, 4 * step + 4)
            ours.train_on_batch(x[rows], y[rows])
            theirs.train_on_batch(x[rows], y[rows])
            check_weights(ours, theirs, f"{dtype} {name} {options} step {step}", LIMITS[dtype])
        for what, value, expected in states(ours, theirs):
            assert np.abs(value - expected).max() <= 2e-5 * (1 + np.abs(expected).max()), what
        ours.fit(x, y, batch_size=20, shuffle=False, verbose=0)
        theirs.fit(x, y, batch_size=20, shuffle=False, verbose=0)
        check_weights(ours, theirs, f"{dtype} {name} {options} fit", LIMITS[dtype])


def check_weights(ours: Sequential, theirs: Any, where: str, limit: float) -> None:
    """Fail where weights differ by more than the limit times the largest weight."""
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        # Steps that cancel out leave weights of next to nothing.
        apart = np.abs(one - other).max() / max(np.abs(other).max(), 0.01)
        note(f"optimizers {where.split()[0]}", float(apart), where)
        assert apart <= limit, where


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_weights_left_out_of_decay(name: str) -> None:
    ours, theirs = models(name, {"weight_decay": 0.5})
    assert ours.optimizer is not None
    ours.optimizer.exclude_from_weight_decay([ours.layers[1].weights[0]], ["bias"])
    theirs.optimizer.exclude_from_weight_decay([theirs.layers[1].kernel], ["bias"])
    x, y = data()
    for _ in range(5):
        ours.train_on_batch(x, y)
        theirs.train_on_batch(x, y)
    check_weights(ours, theirs, "float32", LIMITS["float32"])


SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.5}),
    ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 20, "end_learning_rate": 0.01, "power": 2.0}),
    ("PolynomialDecay", {"decay_steps": 20, "cycle": True}),
    ("CosineDecay", {"decay_steps": 30, "alpha": 0.1}),
    ("CosineDecay", {"decay_steps": 30, "warmup_target": 0.5, "warmup_steps": 9}),
    ("CosineDecayRestarts", {"first_decay_steps": 7}),
    ("CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.0}),
]


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=str)
def test_schedules(name: str, options: dict[str, Any]) -> None:
    ours = getattr(schedules, name)(0.2, **options)
    theirs = getattr(keras.optimizers.schedules, name)(0.2, **options)
    found = [ours(step) for step in range(60)]
    expected = [float(theirs(step)) for step in range(60)]
    # Keras computes in float32, so that a restart may fall on the step before or after.
    near = np.isclose(found, expected, rtol=2e-6, atol=1e-8)
    assert near.mean() > 0.95 if name == "CosineDecayRestarts" else near.all()
    assert ours.get_config() == {**theirs.get_config(), **ours.get_config()}


def test_piecewise_constant() -> None:
    arguments = [3, 7, 20], [0.5, 0.1, 0.05, 0.01]
    ours = schedules.PiecewiseConstantDecay(*arguments)
    theirs = keras.optimizers.schedules.PiecewiseConstantDecay(*arguments)
    for step in range(30):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-6)


@pytest.mark.parametrize("steps", [None, 2])
def test_a_schedule_in_training(steps: int | None) -> None:
    options = {"gradient_accumulation_steps": steps}
    ours, theirs = models("Adam", options, schedules.ExponentialDecay(0.05, 5, 0.5))
    x, y = data()
    ours.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    theirs.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    check_weights(ours, theirs, "float32", LIMITS["float32"])


def test_names() -> None:
    for cls in optimizers.optimizers:
        for spelling in (cls.__name__, cls.__name__.lower()):
            assert type(optimizers.get(spelling)) is cls
    theirs = {name.lower() for name in dir(keras.optimizers) if name[0].isupper()}
    missing = theirs - set(optimizers.optimizers.names)
    assert missing == {
        "adafactor", "ftrl", "lamb", "lossscaleoptimizer", "multioptimizer", "muon", "optimizer",
        "optimizermap", "schedulefreeadamw",
    }  # fmt: skip


def test_where_the_average_counts() -> None:
    """During training the weights stay their own; at its end they are the average."""
    ours, _ = models("SGD", {"use_ema": True})
    x, y = data()
    with trainer.network_of(ours, ours.loss, 32) as network:
        assert ours.optimizer is not None
        ours.optimizer.build(network.parameters)
        network.train(x, y, None, ours.optimizer)
        network.train(x, y, None, ours.optimizer)
        before = network.parameters.values.copy()
        ours.optimizer.finish(network.parameters)
    np.testing.assert_array_equal(network.parameters.values, ours.optimizer.state["average"])
    assert np.abs(before - network.parameters.values).max() > 0
