"""Penalties on weights or outputs, added to the loss (https://keras.io/api/layers/regularizers/)."""

from __future__ import annotations

import numpy as np

from studio.engine.params import Declared, Real
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Regularizer(Declared):
    """A penalty and its gradient."""

    def __call__(self, w: Array) -> float:
        """The penalty of the values ``w``."""
        raise NotImplementedError

    def gradient(self, w: Array) -> Array:
        """The derivative of the penalty by each value."""
        raise NotImplementedError


regularizers: Registry[Regularizer] = Registry("a regularizer", Regularizer)


@regularizers.register("l1")
class L1(Regularizer):
    """l1 · Σ|w|: drives weights to exactly zero."""

    l1 = Real(0.01, minimum=0, label="L1 factor", help="Weight of the sum of absolute values.")

    def __call__(self, w: Array) -> float:
        return self.l1 * float(np.abs(w).sum())

    def gradient(self, w: Array) -> Array:
        return np.sign(w) * w.dtype.type(self.l1)


@regularizers.register("l2")
class L2(Regularizer):
    """l2 · Σw²: keeps weights small."""

    l2 = Real(0.01, minimum=0, label="L2 factor", help="Weight of the sum of squares.")

    def __call__(self, w: Array) -> float:
        return self.l2 * float(np.vdot(w, w))

    def gradient(self, w: Array) -> Array:
        return w * w.dtype.type(2 * self.l2)


@regularizers.register("l1_l2", "L1L2")
class L1L2(Regularizer):
    """l1 · Σ|w| + l2 · Σw²."""

    l1 = Real(0.0, minimum=0, label="L1 factor", help="Weight of the sum of absolute values.")
    l2 = Real(0.0, minimum=0, label="L2 factor", help="Weight of the sum of squares.")

    def __call__(self, w: Array) -> float:
        return self.l1 * float(np.abs(w).sum()) + self.l2 * float(np.vdot(w, w))

    def gradient(self, w: Array) -> Array:
        return np.sign(w) * w.dtype.type(self.l1) + w * w.dtype.type(2 * self.l2)
