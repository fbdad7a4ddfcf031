"""Bounds that weights are brought back to after each update.

Source: https://keras.io/api/layers/constraints/
"""

from __future__ import annotations

import numpy as np

from studio.engine.config import epsilon
from studio.engine.errors import ParameterError
from studio.engine.params import Declared, Integers, Real
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Constraint(Declared):
    """Maps the values of a weight to allowed ones."""

    def __call__(self, w: Array) -> Array:
        """The nearest allowed values."""
        raise NotImplementedError

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Find out whether it can bound a weight of that shape.

        Raises:
            ParameterError: if not.
        """


constraints: Registry[Constraint] = Registry("a constraint", Constraint)


class Axes(Integers):
    """An axis, or several, that are taken together; negative ones count from the last."""

    def convert(self, value: object) -> tuple[int, ...]:
        return super().convert([value] if isinstance(value, int | np.integer) else value)

    def to_config(self, value: tuple[int, ...]) -> int | list[int]:
        return value[0] if len(value) == 1 else list(value)


class _Norm(Constraint):
    axis = Axes((0,), minimum=None, advanced=True,
                help="Along which axes: 0 is all weights into a unit of Dense.")  # fmt: skip

    def check_shape(self, shape: tuple[int, ...]) -> None:
        if any(not -len(shape) <= axis < len(shape) for axis in self.axis):
            wanted = f"axes of a weight of shape {shape}"
            raise ParameterError(wanted, str(list(self.axis)), f"{type(self).__name__} axis")

    def norms(self, w: Array) -> Array:
        """The length of w along the axes.

        Raises:
            ParameterError: if w has no such axis.
        """
        self.check_shape(w.shape)
        return np.sqrt(np.square(w).sum(axis=self.axis, keepdims=True))


@constraints.register()
class MaxNorm(_Norm):
    """w · min(|w|, max_value) / (|w| + ε)."""

    max_value = Real(2.0, minimum=0, label="Longest", help="The longest that weights may be.")

    def __call__(self, w: Array) -> Array:
        norms = self.norms(w)
        return w * (np.minimum(norms, self.max_value) / (norms + epsilon()))


@constraints.register()
class NonNeg(Constraint):
    """w ≥ 0."""

    def __call__(self, w: Array) -> Array:
        return np.maximum(w, 0)


@constraints.register()
class UnitNorm(_Norm):
    """w / (|w| + ε)."""

    def __call__(self, w: Array) -> Array:
        return w / (self.norms(w) + epsilon())


@constraints.register()
class MinMaxNorm(_Norm):
    """w · n / (|w| + ε), n on the way from |w| to the nearest allowed length, there at rate 1."""

    min_value = Real(0.0, minimum=0, label="Shortest", help="The shortest that weights may be.")
    max_value = Real(1.0, minimum=0, label="Longest", help="The longest that weights may be.")
    rate = Real(1.0, minimum=0, maximum=1, help="How much of the way they are brought back.")

    def __call__(self, w: Array) -> Array:
        norms = self.norms(w)
        allowed = np.clip(norms, self.min_value, self.max_value)
        return w * ((self.rate * allowed + (1 - self.rate) * norms) / (norms + epsilon()))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
get = deserialize = constraints.make
serialize = constraints.serialize
