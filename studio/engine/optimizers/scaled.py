"""Optimizers that divide the gradient by its size so far."""

from __future__ import annotations

import numpy as np

from studio.engine.blas import mix
from studio.engine.optimizers.base import Optimizer, optimizers
from studio.engine.params import Boolean, Real
from studio.engine.schedules import LearningRate
from studio.engine.workspace import Array


@optimizers.register()
class RMSprop(Optimizer):
    """v = ρ v + (1 - ρ) g², w -= rate · g / sqrt(v + ε).

    With ``centered`` the mean of g, squared, is taken from v. Source: Hinton, 2012;
    https://keras.io/api/optimizers/rmsprop/
    """

    help = "Scales each step by the recent size of the gradient."

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    rho = Real(0.9, minimum=0, maximum=1, label="Rho", help="How slowly the mean of g² changes.")
    momentum = Real(0.0, minimum=0, maximum=1, label="Momentum", help="How much of it is kept.")
    epsilon = Real(1e-7, minimum=0, advanced=True, help="Keeps the division finite.")
    centered = Boolean(False, advanced=True, help="Divides by the deviation, not the size.")

    @property
    def slots(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The mean of g², and where asked for the momentum and the mean of g."""
        momentum = ["momentum"] * bool(self.momentum)
        return ("velocity", *momentum, *["average_gradient"] * self.centered)

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        velocity, others = slots[0], list(slots[1:])
        s, t = self.scratch(len(w))
        np.multiply(g, g, out=s)
        mix(1 - self.rho, s, self.rho, velocity, s)
        if self.centered:
            average = others.pop()
            mix(1 - self.rho, g, self.rho, average, s)
            np.multiply(average, average, out=t)
            np.subtract(velocity, t, out=s)
            s += self.epsilon
        else:
            np.add(velocity, self.epsilon, out=s)
        np.sqrt(s, out=s)
        np.divide(g, s, out=s)
        if others:
            mix(rate, s, self.momentum, others[0], s)
            w -= others[0]
        else:
            mix(-rate, s, 1, w, s)


@optimizers.register()
class Adagrad(Optimizer):
    """a += g², w -= rate · g / sqrt(a + ε), with a at first ``initial_accumulator_value``.

    Source: Duchi et al., 2011; https://keras.io/api/optimizers/adagrad/
    """

    slots = ("accumulator",)
    help = "Slows each weight down by all its gradients so far; for sparse inputs."

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    initial_accumulator_value = Real(0.1, minimum=0, advanced=True, help="The sum at the start.")
    epsilon = Real(1e-7, minimum=0, advanced=True, help="Keeps the division finite.")

    def initial(self, slot: str) -> float:
        return self.initial_accumulator_value if slot in self.slots else 0.0

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        (total,) = slots
        s, _ = self.scratch(len(w))
        np.multiply(g, g, out=s)
        total += s
        np.add(total, self.epsilon, out=s)
        np.sqrt(s, out=s)
        np.divide(g, s, out=s)
        mix(-rate, s, 1, w, s)


@optimizers.register()
class Adadelta(Optimizer):
    """a = ρ a + (1 - ρ) g², d = g · sqrt(b + ε) / sqrt(a + ε), b = ρ b + (1 - ρ) d², w -= rate · d.

    Source: Zeiler, 2012; https://keras.io/api/optimizers/adadelta/
    """

    slots = ("accumulated_grad", "accumulated_delta_var")
    side_by_side = 2
    help = "Finds the size of its steps itself; usually with a rate of 1."

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    rho = Real(0.95, minimum=0, maximum=1, label="Rho", help="How slowly the means change.")
    epsilon = Real(1e-7, minimum=0, advanced=True, help="Keeps the division finite.")

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        gradients, steps = slots
        s, t = self.scratch(len(w))
        np.multiply(g, g, out=s)
        mix(1 - self.rho, s, self.rho, gradients, s)
        np.add(steps, self.epsilon, out=s)
        np.add(gradients, self.epsilon, out=t)
        s /= t
        np.sqrt(s, out=s)
        s *= g
        np.multiply(s, s, out=t)
        mix(1 - self.rho, t, self.rho, steps, t)
        mix(-rate, s, 1, w, s)
