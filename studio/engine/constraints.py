"""Bounds that weights are brought back to after each update (https://keras.io/api/layers/constraints/)."""

from __future__ import annotations

import numpy as np

from studio.engine.params import Declared
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Constraint(Declared):
    """Maps the values of a weight to allowed ones."""

    def __call__(self, w: Array) -> Array:
        """The nearest allowed values."""
        raise NotImplementedError


constraints: Registry[Constraint] = Registry("a constraint", Constraint)


@constraints.register()
class NonNeg(Constraint):
    """w ≥ 0."""

    def __call__(self, w: Array) -> Array:
        return np.maximum(w, 0)
