"""Learning rates that change with the step (https://keras.io/api/optimizers/learning_rate_schedules/)."""

from __future__ import annotations

import numbers
from typing import Any

from studio.engine.params import REQUIRED, Declared, Param, Real
from studio.engine.registry import Registry


class LearningRateSchedule(Declared):
    """A learning rate for each step."""

    def __call__(self, step: int) -> float:
        """The rate of the update that follows ``step`` others."""
        raise NotImplementedError


schedules: Registry[LearningRateSchedule] = Registry(
    "a learning rate schedule", LearningRateSchedule, spelled=str
)


class LearningRate(Param[Any]):
    """A parameter that is a positive number or a schedule."""

    def __init__(self, default: Any = REQUIRED, **common: Any) -> None:
        super().__init__(default, **common)
        self.number = Real(minimum=0)
        self.registry = schedules

    def describe(self) -> str:
        return self.number.describe() + " or a learning rate schedule"

    def convert(self, value: Any) -> float | LearningRateSchedule:
        if isinstance(value, numbers.Real):
            return self.number.convert(value)
        return schedules.make(value)

    def to_config(self, value: Any) -> Any:
        return value if isinstance(value, float) else schedules.serialize(value)

    def samples(self) -> tuple[list[Any], list[Any]]:
        return self.number.samples()


@schedules.register()
class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate · decay_rate^(step / decay_steps)."""

    initial_learning_rate = Real(minimum=0, help="The rate of the first step.")
    decay_steps = Real(above=0, help="After how many steps the rate has shrunk once.")
    decay_rate = Real(minimum=0, help="The factor that it shrinks by.")

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate * self.decay_rate ** (step / self.decay_steps)
