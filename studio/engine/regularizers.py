"""Penalties on weights or outputs, added to the loss (https://keras.io/api/layers/regularizers/)."""

from __future__ import annotations

import numpy as np

from studio.engine.blas import mix
from studio.engine.config import epsilon
from studio.engine.errors import ShapeError
from studio.engine.params import Choice, Declared, Real
from studio.engine.plan import Do
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

    def lay(self, w: Array, total: Array, spare: Array, do: Do) -> None:
        """Have the derivative added to ``total`` in every step; all are of one shape, no gaps."""
        do(self._add, w, total)

    def _add(self, w: Array, total: Array) -> None:
        total += self.gradient(w)

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Find out whether it can judge values of that shape.

        Raises:
            ShapeError: if not.
        """


regularizers: Registry[Regularizer] = Registry("a regularizer", Regularizer)


@regularizers.register("l1")
class L1(Regularizer):
    """l1 · Σ|w|: drives weights to exactly zero."""

    l1 = Real(0.01, minimum=0, label="L1 factor", help="Weight of the sum of absolute values.")

    def __call__(self, w: Array) -> float:
        return self.l1 * float(np.abs(w).sum())

    def gradient(self, w: Array) -> Array:
        return np.sign(w) * w.dtype.type(self.l1)

    def lay(self, w: Array, total: Array, spare: Array, do: Do) -> None:
        do(np.sign, w, out=spare)
        mix(self.l1, spare, 1, total, spare, do)


@regularizers.register("l2")
class L2(Regularizer):
    """l2 · Σw²: keeps weights small."""

    l2 = Real(0.01, minimum=0, label="L2 factor", help="Weight of the sum of squares.")

    def __call__(self, w: Array) -> float:
        return self.l2 * float(np.vdot(w, w))

    def gradient(self, w: Array) -> Array:
        return w * w.dtype.type(2 * self.l2)

    def lay(self, w: Array, total: Array, spare: Array, do: Do) -> None:
        mix(2 * self.l2, w, 1, total, spare, do)


@regularizers.register("l1_l2", "L1L2")
class L1L2(Regularizer):
    """l1 · Σ|w| + l2 · Σw²."""

    l1 = Real(0.0, minimum=0, label="L1 factor", help="Weight of the sum of absolute values.")
    l2 = Real(0.0, minimum=0, label="L2 factor", help="Weight of the sum of squares.")

    def __call__(self, w: Array) -> float:
        return self.l1 * float(np.abs(w).sum()) + self.l2 * float(np.vdot(w, w))

    def gradient(self, w: Array) -> Array:
        return np.sign(w) * w.dtype.type(self.l1) + w * w.dtype.type(2 * self.l2)

    def lay(self, w: Array, total: Array, spare: Array, do: Do) -> None:
        L1(self.l1).lay(w, total, spare, do)
        L2(self.l2).lay(w, total, spare, do)


@regularizers.register()
class OrthogonalRegularizer(Regularizer):
    """factor · mean |cos| of the angles between all pairs of rows or columns: 0 if orthogonal."""

    factor = Real(0.01, minimum=0, help="Weight of the penalty.")
    mode = Choice("rows", options=("rows", "columns"), help="What is to be orthogonal.")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            where = type(self).__name__
            raise ShapeError("a matrix", f"shape {shape}", where, "Take L2 for it.")

    def _unit_rows(self, w: Array) -> tuple[Array, Array, float]:
        """Rows of length 1, what they were multiplied by for it, and the weight of one |cos|.

        Raises:
            ShapeError: if w is not a matrix.
        """
        self.check_shape(w.shape)
        rows = w if self.mode == "rows" else w.T
        norms = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
        scale = 1 / np.maximum(norms, epsilon())
        pairs = len(rows) * (len(rows) - 1) / 2
        return rows * scale, scale, self.factor * 0.5 / max(pairs, 1)

    def __call__(self, w: Array) -> float:
        unit, _, share = self._unit_rows(w)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, 0)
        return share * float(np.abs(cosines).sum())

    def gradient(self, w: Array) -> Array:
        unit, scale, share = self._unit_rows(w)
        signs = np.sign(unit @ unit.T)
        np.fill_diagonal(signs, 0)
        turn = 2 * share * (signs @ unit)
        # What would only change a row's length has no effect on its direction.
        gradient = (turn - unit * (turn * unit).sum(axis=1, keepdims=True)) * scale
        return gradient if self.mode == "rows" else gradient.T


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
get = deserialize = regularizers.make
serialize = regularizers.serialize
