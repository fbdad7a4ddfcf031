"""Gradient descent along the gradient, or along its sign."""

from __future__ import annotations

import numpy as np

from studio.engine.blas import mix
from studio.engine.optimizers.base import Optimizer, optimizers
from studio.engine.optimizers.pieces import Piece
from studio.engine.params import Boolean, Real
from studio.engine.plan import Do, as_arrays
from studio.engine.schedules import LearningRate


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

    def lay(self, at: Piece, do: Do) -> None:
        w, g, slots, (step,), (s, _) = at
        if not slots:
            mix(step, g, 1, w, s, do)
        for v in slots:
            mix(step, g, self.momentum, v, s, do)
            if self.nesterov:
                mix(step, g, 1, w, s, do)
                mix(self.momentum, v, 1, w, s, do)
            else:
                do(np.add, w, v, out=w)


@optimizers.register()
class Lion(Optimizer):
    """w -= rate · sign(β₁ m + (1 - β₁) g), m = β₂ m + (1 - β₂) g.

    Source: Chen et al., 2023; https://keras.io/api/optimizers/lion/
    """

    slots = ("momentum",)
    help = "Moves each weight by the same length; wants a smaller rate than Adam."

    learning_rate = LearningRate(0.001, label="Learning rate", help="How far each update goes.")
    beta_1 = Real(0.9, above=0, maximum=1, advanced=True, help="How much of the mean decides.")
    beta_2 = Real(0.99, minimum=0, maximum=1, advanced=True, help="How slowly the mean changes.")

    def lay(self, at: Piece, do: Do) -> None:
        w, g, (m,), (step,), (s, spare) = at
        (keep,) = as_arrays(self.beta_1, dtype=w.dtype)
        do(np.multiply, m, keep, out=s)
        mix(1 - self.beta_1, g, 1, s, spare, do)
        do(np.sign, s, out=s)
        mix(step, s, 1, w, s, do)
        mix(1 - self.beta_2, g, self.beta_2, m, spare, do)
