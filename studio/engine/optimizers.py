"""How gradients change weights (https://keras.io/api/optimizers/).

All weights of a model lie in one flat buffer, and so do their gradients and each of an optimizer's
``slots`` (averages and the like). An update walks over them in pieces that fit the processor's
cache, with in-place arithmetic: ``update`` of each class below is one formula for one piece.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

import numpy as np

from studio.engine.parameters import Parameters
from studio.engine.params import Boolean, Declared, Real
from studio.engine.registry import Registry
from studio.engine.schedules import LearningRate
from studio.engine.workspace import Array

PIECE = 1 << 14
"""Numbers per piece: eight arrays of them in float32 fill half a typical second-level cache."""


class Optimizer(Declared):
    """Base of all optimizers."""

    slots: ClassVar[tuple[str, ...]] = ()
    help: ClassVar[str] = ""

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.iterations = 0
        self.state: dict[str, Array] = {}
        self._scratch: Array = np.empty((2, 0))

    def build(self, parameters: Parameters) -> None:
        """Make the slots for these weights; those that already fit are kept."""
        size, dtype = parameters.values.size, parameters.values.dtype
        for slot in self.slots:
            kept = self.state.get(slot)
            if kept is None or kept.size != size or kept.dtype != dtype:
                self.state[slot] = np.zeros(size, dtype)
        self._scratch = np.empty((2, min(size, PIECE)), dtype)

    def rate(self) -> float:
        """The learning rate of the coming update."""
        rate = self.learning_rate
        return rate(self.iterations) if callable(rate) else rate

    def apply(self, parameters: Parameters, gradients: Array) -> None:
        """Update all weights, in place.

        Args:
            parameters: the weights.
            gradients: their gradients, flat; may be overwritten.
        """
        weights = parameters.values
        rate = self.rate()
        self.iterations += 1
        slots = [self.state[slot] for slot in self.slots]
        size = len(weights)
        if size <= PIECE:
            self.update(weights, gradients, rate, *slots)
        else:
            for start in range(0, size, PIECE):
                piece = slice(start, start + PIECE)
                parts = [slot[piece] for slot in slots]
                self.update(weights[piece], gradients[piece], rate, *parts)
        parameters.constrain()

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        """Update one piece, in place; ``iterations`` already counts this update."""
        raise NotImplementedError

    def scratch(self, size: int) -> Array:
        """Two rows of ``size`` numbers to compute in."""
        return self._scratch[:, :size]


optimizers: Registry[Optimizer] = Registry("an optimizer", Optimizer, spelled=str.lower)


@optimizers.register()
class SGD(Optimizer):
    """w -= rate · g; with momentum v = momentum · v - rate · g, w += v.

    With Nesterov w += momentum · v - rate · g. Source: https://keras.io/api/optimizers/sgd/
    """

    help = "Plain gradient descent, with or without momentum."

    learning_rate = LearningRate(0.01, label="Learning rate", help="How far each update goes.")
    momentum = Real(0.0, minimum=0, maximum=1, label="Momentum", help="How much of it is kept.")
    nesterov = Boolean(False, label="Nesterov", help="Looks ahead along the momentum.")

    @property
    def slots(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The velocity, where there is momentum."""
        return ("momentum",) if self.momentum else ()

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        step, _ = self.scratch(len(w))
        np.multiply(g, -rate, out=step)
        if slots:
            (v,) = slots
            v *= self.momentum
            v += step
            if not self.nesterov:
                w += v
                return
            w += step
            np.multiply(v, self.momentum, out=step)
        w += step


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
        return ("velocity", *["momentum"] * bool(self.momentum), *["average"] * self.centered)

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        velocity, others = slots[0], list(slots[1:])
        s, t = self.scratch(len(w))
        velocity *= self.rho
        np.multiply(g, g, out=s)
        s *= 1 - self.rho
        velocity += s
        if self.centered:
            average = others.pop()
            average *= self.rho
            np.multiply(g, 1 - self.rho, out=s)
            average += s
            np.multiply(average, average, out=t)
            np.subtract(velocity, t, out=s)
            s += self.epsilon
        else:
            np.add(velocity, self.epsilon, out=s)
        np.sqrt(s, out=s)
        np.divide(g, s, out=s)
        s *= rate
        if others:
            others[0] *= self.momentum
            others[0] += s
            w -= others[0]
        else:
            w -= s


@optimizers.register()
class Adam(Optimizer):
    """m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w -= rate · c · m / (sqrt(v) + ε).

    c = sqrt(1 - β₂ᵗ) / (1 - β₁ᵗ) corrects for the start at zero; with ``amsgrad`` v is the largest so
    far. Source: Kingma and Ba, 2014; https://keras.io/api/optimizers/adam/
    """

    help = "Adapts each weight's step; a good first choice."

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    beta_1 = Real(0.9, minimum=0, below=1, advanced=True, help="How slowly the mean changes.")
    beta_2 = Real(0.999, minimum=0, below=1, advanced=True, help="How slowly the size changes.")
    epsilon = Real(1e-7, minimum=0, advanced=True, help="Keeps the division finite.")
    amsgrad = Boolean(False, advanced=True, help="Divides by the largest size so far.")

    @property
    def slots(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The means of g and g², and where asked for the largest of the latter."""
        return ("momentum", "velocity", *["velocity_hat"] * self.amsgrad)

    def update(self, w: Array, g: Array, rate: float, *slots: Array) -> None:
        m, v = slots[0], slots[1]
        s, _ = self.scratch(len(w))
        t = self.iterations
        correction = sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        np.subtract(g, m, out=s)
        s *= 1 - self.beta_1
        m += s
        np.multiply(g, g, out=s)
        s -= v
        s *= 1 - self.beta_2
        v += s
        if self.amsgrad:
            v = np.maximum(slots[2], v, out=slots[2])
        np.sqrt(v, out=s)
        s += self.epsilon
        np.divide(m, s, out=s)
        s *= rate * correction
        w -= s
