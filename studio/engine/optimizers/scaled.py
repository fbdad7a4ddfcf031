"""Optimizers that divide the gradient by its size so far."""

from __future__ import annotations

import numpy as np

from studio.engine.blas import mix
from studio.engine.optimizers.base import Optimizer, optimizers
from studio.engine.optimizers.pieces import Piece
from studio.engine.params import Boolean, Real
from studio.engine.plan import Do, as_arrays
from studio.engine.schedules import LearningRate


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

    def numbers(self, rate: float) -> tuple[float, ...]:
        return (rate, -rate)

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (velocity, *others), (rate, step), (s, square) = at
        (epsilon,) = as_arrays(self.epsilon, dtype=w.dtype)
        do(np.multiply, g, g, out=s)
        mix(1 - self.rho, s, self.rho, velocity, s, do)
        if self.centered:
            average = others.pop()
            mix(1 - self.rho, g, self.rho, average, s, do)
            do(np.multiply, average, average, out=square)
            do(np.subtract, velocity, square, out=s)
            do(np.add, s, epsilon, out=s)
        else:
            do(np.add, velocity, epsilon, out=s)
        do(np.sqrt, s, out=s)
        do(np.divide, g, s, out=s)
        if others:
            (momentum,) = others
            mix(rate, s, self.momentum, momentum, s, do)
            do(np.subtract, w, momentum, out=w)
        else:
            mix(step, s, 1, w, s, do)


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

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (total,), (step,), (s, _) = at
        (epsilon,) = as_arrays(self.epsilon, dtype=w.dtype)
        do(np.multiply, g, g, out=s)
        do(np.add, total, s, out=total)
        do(np.add, total, epsilon, out=s)
        do(np.sqrt, s, out=s)
        do(np.divide, g, s, out=s)
        mix(step, s, 1, w, s, do)


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

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (gradients, steps), (step,), (s, d) = at
        (epsilon,) = as_arrays(self.epsilon, dtype=w.dtype)
        do(np.multiply, g, g, out=s)
        mix(1 - self.rho, s, self.rho, gradients, s, do)
        do(np.add, steps, epsilon, out=s)
        do(np.add, gradients, epsilon, out=d)
        do(np.divide, s, d, out=s)
        do(np.sqrt, s, out=s)
        do(np.multiply, s, g, out=s)
        do(np.multiply, s, s, out=d)
        mix(1 - self.rho, d, self.rho, steps, d, do)
        mix(step, s, 1, w, s, do)
