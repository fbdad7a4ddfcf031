"""Cross-entropies in which samples that are right already weigh less (Lin et al., 2017)."""

from __future__ import annotations

import numpy as np

from studio.engine.activations import Sigmoid, Softmax
from studio.engine.config import epsilon
from studio.engine.errors import ShapeError
from studio.engine.losses.base import losses
from studio.engine.losses.crossentropy import (
    Smoothed,
    binary,
    clip,
    log_shares,
    one_hot_fitted,
    through_shares,
    unclipped,
)
from studio.engine.params import Boolean, Real, Reals
from studio.engine.workspace import Array, Shape


def power_and_slope(base: Array, exponent: float) -> tuple[Array, Array]:
    """base^exponent and its derivative by the base, finite at 0 as well."""
    if exponent == 0:
        return np.ones_like(base), np.zeros_like(base)
    slope = exponent * np.maximum(base, epsilon()) ** (exponent - 1)
    return base**exponent, slope


@losses.register()
class BinaryFocalCrossentropy(Smoothed):
    """mean((1 - q)^γ · BCE(y, p)), q = y · p + (1 - y) · (1 - p).

    With ``apply_class_balancing`` times α for class 1 and 1 - α for class 0.
    """

    kinds = ("binary",)
    help = "Like binary cross-entropy; samples that are right already weigh less."

    apply_class_balancing = Boolean(False, label="Class balancing", help="Weigh classes by alpha.")
    alpha = Real(0.25, minimum=0, maximum=1, label="Alpha", help="The weight of class 1.")
    gamma = Real(2.0, minimum=0, label="Gamma", help="How much less right samples weigh.")

    def _weight(self, y: Array) -> Array | float:
        if not self.apply_class_balancing:
            return 1.0
        return y * self.alpha + (1 - y) * (1 - self.alpha)

    def values(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[0]

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        y = self.smooth(y)
        bce = binary(y, p, self.from_logits)
        if self.from_logits:
            p = Sigmoid().forward(p)
            slope, dp = p - y, p * (1 - p)
        else:
            q = clip(p)
            slope, dp = (q - y) / (q * (1 - q)) * unclipped(p), 1.0
        wrong, weight = y * (1 - p) + (1 - y) * p, self._weight(y)
        focus, dfocus = power_and_slope(wrong, self.gamma)
        gradient = weight * (focus * slope + dfocus * (1 - 2 * y) * dp * bce)
        return (weight * focus * bce).mean(axis=-1), gradient * (1 / p.shape[-1])


@losses.register()
class CategoricalFocalCrossentropy(Smoothed):
    """-Σ α · (1 - p)^γ · y · log p over the classes, p normalised."""

    kinds = ("multiclass",)
    activation = Softmax
    help = "Like categorical cross-entropy; samples that are right already weigh less."

    alpha = Reals(0.25, single=True, minimum=0, label="Alpha", help="The weight of each class.")
    gamma = Real(2.0, minimum=0, label="Gamma", help="How much less right samples weigh.")

    def fitted(self, y: Array, output_shape: Shape, where: str) -> Array:
        y = one_hot_fitted(self, y, output_shape, where)
        if len(self.alpha) not in (1, output_shape[-1]):
            what = f"one alpha, or one for each of {output_shape[-1]} classes"
            raise ShapeError(what, str(len(self.alpha)), type(self).__name__)
        return y

    def values(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[0]

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        y = self.smooth(y) * np.asarray(self.alpha, p.dtype)
        logs = log_shares(p, self.from_logits)
        share = np.exp(logs)
        focus, dfocus = power_and_slope(1 - share, self.gamma)
        values = -(y * focus * logs).sum(axis=-1)
        # d/dp of -y (1 - p)^γ log p, times p, which has no division.
        along = y * (dfocus * share * logs - focus)
        if self.from_logits:
            return values, along - share * along.sum(axis=-1, keepdims=True)
        return values, through_shares(along / share, p)
