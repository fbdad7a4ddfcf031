"""Learning rates that change with the step.

Source: https://keras.io/api/optimizers/learning_rate_schedules/
"""

from __future__ import annotations

import math
import numbers
from bisect import bisect_left
from typing import Any

from studio.engine.errors import ParameterError
from studio.engine.params import REQUIRED, Boolean, Declared, Param, Real, Reals, Text
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

    called = "initial_learning_rate"
    """What schedules call such a number."""

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


def _initial() -> Real:
    return Real(minimum=0, initial=0.01, help="The rate of the first step.")


def _steps(text: str) -> Real:
    return Real(above=0, initial=1000.0, help=text)


def _name(default: str) -> Text:
    return Text(default, advanced=True, help="Its name.")


def _staircase() -> Boolean:
    return Boolean(False, help="Whether it changes in jumps, once every so many steps.")


@schedules.register()
class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate · decay_rate^(step / decay_steps)."""

    initial_learning_rate = _initial()
    decay_steps = _steps("After how many steps the rate has shrunk once.")
    decay_rate = Real(minimum=0, initial=0.96, help="The factor that it shrinks by.")
    staircase = _staircase()
    name = _name("ExponentialDecay")

    def __call__(self, step: int) -> float:
        part = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(part) if self.staircase else part
        )


@schedules.register()
class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps)."""

    initial_learning_rate = _initial()
    decay_steps = _steps("How many steps count as one.")
    decay_rate = Real(minimum=0, initial=0.5, help="How fast it shrinks.")
    staircase = _staircase()
    name = _name("InverseTimeDecay")

    def __call__(self, step: int) -> float:
        part = step / self.decay_steps
        part = math.floor(part) if self.staircase else part
        return self.initial_learning_rate / (1 + self.decay_rate * part)


@schedules.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] up to and including the step boundaries[i], then the next value."""

    boundaries = Reals(initial=(1000.0,), help="The last step of each value but the last.")
    values = Reals(initial=(0.01, 0.001), minimum=0, help="The rates, one more than boundaries.")
    name = _name("PiecewiseConstant")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        where = type(self).__name__
        if len(self.values) != len(self.boundaries) + 1:
            wanted = f"{len(self.boundaries) + 1} values, one more than boundaries"
            raise ParameterError(wanted, str(len(self.values)), where)
        if list(self.boundaries) != sorted(self.boundaries):
            raise ParameterError("boundaries in order", str(list(self.boundaries)), where)

    def __call__(self, step: int) -> float:
        return self.values[bisect_left(self.boundaries, step)]


@schedules.register()
class PolynomialDecay(LearningRateSchedule):
    """(initial - end) · (1 - step / decay_steps)^power + end, then end.

    With ``cycle`` it goes on with the next multiple of ``decay_steps`` instead.
    """

    initial_learning_rate = _initial()
    decay_steps = _steps("After how many steps the end is reached.")
    end_learning_rate = Real(0.0001, minimum=0, help="The rate at the end.")
    power = Real(1.0, minimum=0, help="1 for a straight line; more for a fast start.")
    cycle = Boolean(False, help="Whether it starts again above the end.")
    name = _name("PolynomialDecay")

    def __call__(self, step: int) -> float:
        steps = self.decay_steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        left = 1 - min(step, steps) / steps
        start, end = self.initial_learning_rate, self.end_learning_rate
        return (start - end) * left**self.power + end


@schedules.register()
class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate down to α times it (Loshchilov and Hutter, 2016).

    With a ``warmup_target`` the rate first rises to it, straight, in ``warmup_steps``.
    """

    initial_learning_rate = _initial()
    decay_steps = _steps("After how many steps the end is reached, warm-up not counted.")
    alpha = Real(0.0, minimum=0, help="The rate at the end, as a part of that at the top.")
    name = _name("CosineDecay")
    warmup_target = Real(None, optional=True, minimum=0, help="The rate that it first rises to.")
    warmup_steps = Real(0.0, minimum=0, help="How many steps that takes.")

    def __call__(self, step: int) -> float:
        top, done = self.initial_learning_rate, float(step)
        if self.warmup_target is not None:  # pyright: ignore[reportUnnecessaryComparison]
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, done = self.warmup_target, step - self.warmup_steps
        part = min(done, self.decay_steps) / self.decay_steps
        return top * ((1 - self.alpha) * half_cosine(part) + self.alpha)


@schedules.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine, again and again: each ``t_mul`` times as long and ``m_mul`` times as high.

    Source: Loshchilov and Hutter, 2016.
    """

    initial_learning_rate = _initial()
    first_decay_steps = _steps("How many steps the first one takes.")
    t_mul = Real(2.0, minimum=1, help="How many times longer each is than the one before.")
    m_mul = Real(1.0, minimum=0, help="How many times higher.")
    alpha = Real(0.0, minimum=0, help="The lowest rate, as a part of the initial one.")
    name = _name("SGDRDecay")

    def __call__(self, step: int) -> float:
        part = step / self.first_decay_steps
        if self.t_mul == 1:
            restarts = math.floor(part)
            part -= restarts
        else:
            restarts = math.floor(math.log(1 - part * (1 - self.t_mul)) / math.log(self.t_mul))
            length = self.t_mul**restarts
            part = (part - (1 - length) / (1 - self.t_mul)) / length
        height = self.m_mul**restarts * half_cosine(part)
        return self.initial_learning_rate * ((1 - self.alpha) * height + self.alpha)


def half_cosine(part: float) -> float:
    """From 1 at 0 to 0 at 1, along a cosine."""
    return 0.5 * (1 + math.cos(math.pi * part))


get = deserialize = schedules.make
serialize = schedules.serialize
