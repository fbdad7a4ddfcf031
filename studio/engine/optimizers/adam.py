"""Adam and its relatives: a mean of the gradient, divided by a measure of its size."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from studio.engine.blas import mix
from studio.engine.optimizers.base import Optimizer, optimizers
from studio.engine.optimizers.pieces import Piece
from studio.engine.parameters import Parameters
from studio.engine.params import Boolean, Real
from studio.engine.plan import Do, as_arrays
from studio.engine.schedules import LearningRate
from studio.engine.workspace import Array

NOTHING = 1e-300
"""A product of factors that may count as 0; it would never get there."""


class _Moments(Optimizer):
    side_by_side = 2

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    beta_1 = Real(0.9, minimum=0, below=1, advanced=True, help="How slowly the mean changes.")
    beta_2 = Real(0.999, minimum=0, below=1, advanced=True, help="How slowly the size changes.")
    epsilon = Real(1e-7, minimum=0, advanced=True, help="Keeps the division finite.")


@optimizers.register()
class Adam(_Moments):
    """m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², w -= rate · c · m / (sqrt(v) + ε).

    c = sqrt(1 - β₂ᵗ) / (1 - β₁ᵗ) corrects for the start at zero; with ``amsgrad`` v is the largest
    so far. Source: Kingma and Ba, 2014; https://keras.io/api/optimizers/adam/
    """

    help = "Adapts each weight's step; a good first choice."

    learning_rate = _Moments.params["learning_rate"]
    beta_1 = _Moments.params["beta_1"]
    beta_2 = _Moments.params["beta_2"]
    epsilon = _Moments.params["epsilon"]
    amsgrad = Boolean(False, advanced=True, help="Divides by the largest size so far.")

    @property
    def slots(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The means of g and g², and where asked for the largest of the latter."""
        return ("momentum", "velocity", *["velocity_hat"] * self.amsgrad)

    def numbers(self, rate: float) -> tuple[float, ...]:
        t = self.updates
        return (-rate * sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t),)

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (m, v, *largest), (step,), (s, _) = at
        (epsilon,) = as_arrays(self.epsilon, dtype=w.dtype)
        mix(1 - self.beta_1, g, self.beta_1, m, s, do)
        do(np.multiply, g, g, out=s)
        mix(1 - self.beta_2, s, self.beta_2, v, s, do)
        for highest in largest:
            do(np.maximum, highest, v, out=highest)
            v = highest
        do(np.sqrt, v, out=s)
        do(np.add, s, epsilon, out=s)
        do(np.divide, m, s, out=s)
        mix(step, s, 1, w, s, do)


@optimizers.register()
class AdamW(Adam):
    """Adam with weight decay: w -= rate · decay · w, before Adam's own update.

    Source: Loshchilov and Hutter, 2017; https://keras.io/api/optimizers/adamw/
    """

    help = "Adam that also keeps weights small."

    learning_rate = _Moments.params["learning_rate"]
    weight_decay = Real(0.004, minimum=0, label="Weight decay",
                        help="Which part of a weight, times the rate, is taken off.")  # fmt: skip


@optimizers.register()
class Adamax(_Moments):
    """m = β₁ m + (1 - β₁) g, u = max(β₂ u, |g|), w -= rate · m / ((1 - β₁ᵗ) (u + ε)).

    Source: Kingma and Ba, 2014, section 7; https://keras.io/api/optimizers/adamax/
    """

    slots = ("momentum", "norm")
    help = "Adam by the largest recent gradient; calm where gradients jump."

    def numbers(self, rate: float) -> tuple[float, ...]:
        return (-rate / (1 - self.beta_1**self.updates),)

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (m, u), (step,), (s, _) = at
        keep, epsilon = as_arrays(self.beta_2, self.epsilon, dtype=w.dtype)
        mix(1 - self.beta_1, g, self.beta_1, m, s, do)
        do(np.multiply, u, keep, out=u)
        do(np.abs, g, out=s)
        do(np.maximum, u, s, out=u)
        do(np.add, u, epsilon, out=s)
        do(np.divide, m, s, out=s)
        mix(step, s, 1, w, s, do)


@optimizers.register()
class Nadam(_Moments):
    """Adam that looks ahead along its momentum, whose factor μ = β₁ (1 - 0.96ᵗ / 2) grows.

    With Πμ the product of all factors so far and μ' the next one,
    w -= rate · (μ' m / (1 - Πμ μ') + (1 - μ) g / (1 - Πμ)) / (sqrt(v / (1 - β₂ᵗ)) + ε).
    Source: Dozat, 2015; https://keras.io/api/optimizers/nadam/
    """

    slots = ("momentum", "velocity")
    help = "Adam with Nesterov's look ahead."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known = (0, 1.0)

    def factor(self, t: int) -> float:
        """μ of the update number ``t``, counted from 1."""
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def product(self) -> float:
        """The product of all factors so far; it follows from the number of updates."""
        done, product = self._known
        if done > self.updates:
            done, product = 0, 1.0
        while done < self.updates and product > NOTHING:
            done += 1
            product *= self.factor(done)
        self._known = (self.updates, product)
        return product

    def numbers(self, rate: float) -> tuple[float, ...]:
        t, product = self.updates, self.product()
        now, then = self.factor(t), self.factor(t + 1)
        ahead, along = then / (1 - product * then), (1 - now) / (1 - product)
        return (-rate, ahead, along, 1 / (1 - self.beta_2**t))

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (m, v), (step, ahead, along, correction), (s, d) = at
        (epsilon,) = as_arrays(self.epsilon, dtype=w.dtype)
        mix(1 - self.beta_1, g, self.beta_1, m, s, do)
        do(np.multiply, g, g, out=s)
        mix(1 - self.beta_2, s, self.beta_2, v, s, do)
        do(np.multiply, m, ahead, out=d)
        mix(along, g, 1, d, s, do)
        do(np.multiply, v, correction, out=s)
        do(np.sqrt, s, out=s)
        do(np.add, s, epsilon, out=s)
        do(np.divide, d, s, out=d)
        mix(step, d, 1, w, s, do)

    def variables(self, parameters: Parameters) -> list[tuple[str, Array]]:
        """As of all optimizers; Keras' files have the product as well."""
        product = np.array(self.product(), parameters.values.dtype)
        return [*super().variables(parameters), ("product", product)]
