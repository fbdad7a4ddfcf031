"""Optimizers without Keras: pieces, state, arguments that contradict each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import Input, Sequential, optimizers, schedules
from studio.engine.errors import ParameterError, StateError, StudioError
from studio.engine.layers import Dense
from studio.engine.optimizers import Optimizer, pieces
from studio.engine.schedules import LearningRateSchedule
from studio.engine.workspace import Array

CLASSES = list(optimizers.optimizers)
every_optimizer = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def model(optimizer: Any) -> Sequential:
    """A model with 330 trained numbers."""
    made = Sequential([Input((8,)), Dense(30, "tanh"), Dense(2, use_bias=False)], seed=1)
    made.compile(optimizer, "mse")
    return made


def data() -> tuple[Array, Array]:
    """A rule that can be learned."""
    x = np.random.default_rng(0).normal(size=(64, 8))
    return x, np.stack([x[:, 0] * x[:, 1], x[:, 2]], axis=1)


@every_optimizer
def test_it_learns(cls: type[Optimizer]) -> None:
    rates = {"SGD": 0.1, "Adadelta": 5.0, "Adagrad": 0.1}
    made = model(cls(learning_rate=rates.get(cls.__name__, 0.01)))
    history = made.fit(*data(), epochs=60, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    assert cls.help


@every_optimizer
def test_pieces_make_no_difference(cls: type[Optimizer], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model(cls(use_ema=True, weight_decay=0.1))
    whole.fit(*data(), epochs=2, verbose=0)
    monkeypatch.setattr(pieces, "PIECE", 64)
    monkeypatch.setattr(pieces, "SHARED", 64)
    parts = model(cls(use_ema=True, weight_decay=0.1))
    parts.fit(*data(), epochs=2, verbose=0)
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_and_state_keep_their_type(cls: type[Optimizer], dtype: str) -> None:
    made = Sequential([Input((8,)), Dense(2, dtype=dtype)])
    optimizer = cls(gradient_accumulation_steps=2, use_ema=True)
    made.compile(optimizer, "mse")
    made.fit(*data(), epochs=1, verbose=0)
    assert made.layers[0]["kernel"].dtype == dtype
    assert {value.dtype.name for value in optimizer.state.values()} == {dtype}
    assert set(optimizer.state) == {"average", "gradient_accumulator", *optimizer.slots}


@every_optimizer
def test_a_configuration_makes_an_equal_optimizer(cls: type[Optimizer]) -> None:
    for param in cls.params.values():
        for value in param.samples()[0]:
            made = cls(**{param.name: value})
            assert optimizers.get(optimizers.serialize(made)) == made
        for value in param.samples()[1]:
            with pytest.raises(StudioError):
                cls(**{param.name: value})


def test_one_way_of_clipping() -> None:
    with pytest.raises(ParameterError, match="clipnorm and clipvalue"):
        optimizers.SGD(clipnorm=1, clipvalue=1)
    assert optimizers.SGD(clipnorm=0, clipvalue=1).clipvalue == 1


def test_decay_may_be_limited_before_training_only() -> None:
    optimizer = optimizers.Adam(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    made = model(optimizer)
    made.train_on_batch(*data())
    with pytest.raises(StateError):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_updates_and_iterations() -> None:
    optimizer = optimizers.Adam(gradient_accumulation_steps=3)
    made = model(optimizer)
    before = made.get_weights()
    for _ in range(2):
        made.train_on_batch(*data())
        np.testing.assert_array_equal(made.get_weights()[0], before[0])
    made.train_on_batch(*data())
    assert np.abs(made.get_weights()[0] - before[0]).max() > 0
    assert (optimizer.iterations, optimizer.updates) == (3, 1)


def test_nadam_goes_on_after_a_change_of_its_iterations() -> None:
    optimizer = optimizers.Nadam()
    optimizer.iterations = 5
    late = optimizer.product()
    optimizer.iterations = 2
    early = optimizer.product()
    optimizer.iterations = 5
    assert optimizer.product() == late < early < 1
    optimizer.iterations = 1 << 53
    assert optimizer.product() < 1e-299


SCHEDULES = list(schedules.schedules)
every_schedule = pytest.mark.parametrize("cls", SCHEDULES, ids=lambda cls: cls.__name__)
REQUIRED = {
    "boundaries": [5, 20], "values": [1, 0.5, 0.1], "initial_learning_rate": 0.1,
    "decay_steps": 10, "decay_rate": 0.5, "first_decay_steps": 10,
}  # fmt: skip


@every_schedule
def test_schedules(cls: type[LearningRateSchedule]) -> None:
    schedule = cls(**{name: REQUIRED[name] for name, p in cls.params.items() if p.required})
    rates = [schedule(step) for step in range(100)]
    assert all(isinstance(rate, float) and 0 <= rate <= 1 for rate in rates)
    assert rates[0] > rates[9]
    assert schedules.get(schedules.serialize(schedule)) == schedule
    optimizer = optimizers.SGD(schedule)
    made = model(optimizer)
    made.fit(*data(), epochs=3, verbose=0)
    assert optimizer.rate() == schedule(6)


@pytest.mark.parametrize(
    ("boundaries", "values", "text"),
    [([1, 2], [0.1, 0.2], "3 values"), ([2, 1], [1, 2, 3], "in order"), ([], [1], "a list")],
)
def test_impossible_pieces(boundaries: list[int], values: list[float], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        schedules.PiecewiseConstantDecay(boundaries, values)
