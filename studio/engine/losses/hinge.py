"""Losses that want a margin (https://keras.io/api/losses/hinge_losses/)."""

from __future__ import annotations

import numpy as np

from studio.engine.losses.base import Loss, check_each, losses
from studio.engine.workspace import Array

ADVICE = "The two classes are 0 and 1, or -1 and 1."


def signed(y: Array) -> Array:
    """Classes -1 and 1 from 0 and 1; those that are so already are left alone."""
    return y if (y < 0).any() else 2 * y - 1


class _Margin(Loss):
    kinds = ("binary",)
    output = "tanh"

    def check_values(self, y: Array, where: str) -> None:
        # Both forms in one would make the meaning of a 1 depend on the rest of its batch.
        zeros = bool((y == 0).any())
        check_each(y, (y == 1) | (y == (0 if zeros else -1)), "two classes", where, ADVICE)


@losses.register()
class Hinge(_Margin):
    """mean(max(1 - y · p, 0)) with y either -1 or 1."""

    help = "For two classes, one output with tanh: wants them apart by a margin."

    def values(self, y: Array, p: Array) -> Array:
        return np.maximum(1 - signed(y) * p, 0).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        y = signed(y)
        return np.where(y * p < 1, -y, 0) * (1 / p.shape[-1])


@losses.register()
class SquaredHinge(_Margin):
    """mean(max(1 - y · p, 0)²) with y either -1 or 1."""

    help = "Like hinge; being far on the wrong side weighs more."

    def values(self, y: Array, p: Array) -> Array:
        return np.square(np.maximum(1 - signed(y) * p, 0)).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        y = signed(y)
        return y * np.maximum(1 - y * p, 0) * (-2 / p.shape[-1])


@losses.register()
class CategoricalHinge(Loss):
    """max(max((1 - y) · p) - Σ y · p + 1, 0) with y one-hot."""

    kinds = ("multiclass",)
    output = "linear"
    help = "For several classes: wants the true one ahead of the best other by a margin."

    def check_values(self, y: Array, where: str) -> None:
        check_each(y, (y >= 0) & (y <= 1), "one-hot targets from 0 to 1", where)

    def values(self, y: Array, p: Array) -> Array:
        return np.maximum(((1 - y) * p).max(axis=-1) - (y * p).sum(axis=-1) + 1, 0)

    def gradient(self, y: Array, p: Array) -> Array:
        others = (1 - y) * p
        best = others == others.max(axis=-1, keepdims=True)
        pull = best / best.sum(axis=-1, keepdims=True) * (1 - y) - y
        return (pull * (self.values(y, p) > 0)[..., None]).astype(p.dtype, copy=False)
