"""Losses for numbers (https://keras.io/api/losses/regression_losses/)."""

from __future__ import annotations

from math import log
from typing import ClassVar

import numpy as np

from studio.engine.config import epsilon
from studio.engine.losses.base import Loss, check_each, losses
from studio.engine.params import Integer, Real
from studio.engine.plan import Do, as_arrays, at_once
from studio.engine.sums import average_columns
from studio.engine.workspace import Array, Workspace


class OfDifferences(Loss):
    """The mean of a function of each difference e = p - y, in two calls of NumPy."""

    kinds = ("regression",)
    slope: ClassVar[float] = 1
    """What :meth:`lay_slopes` leaves to be multiplied with."""

    def lay_values(self, e: Array, out: Array, do: Do) -> None:
        """Have the function of each difference found."""
        raise NotImplementedError

    def lay_slopes(self, e: Array, do: Do) -> None:
        """Have its derivative put in their place, but for a factor."""

    def values(self, y: Array, p: Array) -> Array:
        e = p - y
        self.lay_values(e, e, at_once)
        return e.mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        return self.lay(y, p, Workspace(), at_once)

    def lay(self, y: Array, p: Array, space: Workspace, do: Do) -> tuple[Array, Array]:
        values = space.array("values", p.shape[:-1], p.dtype)
        e = space.array("gradient", p.shape, p.dtype)
        found = space.array("found", p.shape, p.dtype)
        do(np.subtract, p, y, out=e)
        self.lay_values(e, found, do)
        average_columns(found, values[..., None], do)
        self.lay_slopes(e, do)
        share = self.slope / p.shape[-1]
        if share != 1:
            do(np.multiply, e, *as_arrays(share, dtype=e.dtype), out=e)
        return values, e


@losses.register("mse", "MSE")
class MeanSquaredError(OfDifferences):
    """mean((p - y)²)."""

    slope = 2
    help = "The mean of squared differences; the usual choice for regression."

    def lay_values(self, e: Array, out: Array, do: Do) -> None:
        do(np.multiply, e, e, out=out)


@losses.register("mae", "MAE")
class MeanAbsoluteError(OfDifferences):
    """mean(|p - y|)."""

    help = "The mean of absolute differences; outliers weigh less."

    def lay_values(self, e: Array, out: Array, do: Do) -> None:
        do(np.abs, e, out=out)

    def lay_slopes(self, e: Array, do: Do) -> None:
        do(np.sign, e, out=e)


@losses.register("mape", "MAPE")
class MeanAbsolutePercentageError(Loss):
    """100 · mean(|p - y| / max(|y|, ε))."""

    kinds = ("regression",)
    help = "The mean of differences in percent of the target; for targets away from zero."

    def values(self, y: Array, p: Array) -> Array:
        return 100 * np.abs((y - p) / np.maximum(np.abs(y), epsilon())).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return np.sign(p - y) / np.maximum(np.abs(y), epsilon()) * (100 / p.shape[-1])


@losses.register("msle", "MSLE")
class MeanSquaredLogarithmicError(Loss):
    """mean((log(1 + p) - log(1 + y))²), with p and y at least ε."""

    kinds = ("regression",)
    help = "Squared differences of logarithms; for positive targets of different sizes."

    def _apart(self, y: Array, p: Array) -> Array:
        return np.log1p(np.maximum(p, epsilon())) - np.log1p(np.maximum(y, epsilon()))

    def values(self, y: Array, p: Array) -> Array:
        return np.square(self._apart(y, p)).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        slope = (p > epsilon()) / (1 + np.maximum(p, epsilon()))
        return self._apart(y, p) * slope * (2 / p.shape[-1])


@losses.register()
class Huber(Loss):
    """mean(e² / 2) where |e| = |p - y| ≤ δ, else mean(δ |e| - δ² / 2) (Huber, 1964)."""

    kinds = ("regression",)
    help = "Squared for small differences, absolute for large ones: outliers weigh less."
    delta = Real(1.0, above=0, label="Delta", help="From which difference on it is absolute.")

    def values(self, y: Array, p: Array) -> Array:
        far = np.abs(p - y)
        near = np.minimum(far, self.delta)
        return (near * (far - 0.5 * near)).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return np.clip(p - y, -self.delta, self.delta) * (1 / p.shape[-1])


@losses.register("logcosh")
class LogCosh(Loss):
    """mean(log cosh(p - y)), as |e| + log(1 + exp(-2 |e|)) - log 2, which does not overflow."""

    kinds = ("regression",)
    help = "Nearly squared for small differences, nearly absolute for large ones."

    def values(self, y: Array, p: Array) -> Array:
        far = np.abs(p - y)
        return (far + np.log1p(np.exp(-2 * far)) - log(2)).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return np.tanh(p - y) * (1 / p.shape[-1])


@losses.register()
class Poisson(Loss):
    """mean(p - y · log(p + ε)): the likelihood of counts y with expected numbers p."""

    kinds = ("regression",)
    output = "exponential"
    help = "For counts: the prediction is how many are expected."

    def check_values(self, y: Array, where: str) -> None:
        check_each(y, y >= 0, "counts of at least 0", where)

    def values(self, y: Array, p: Array) -> Array:
        return (p - y * np.log(p + epsilon())).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return (1 - y / (p + epsilon())) * (1 / p.shape[-1])


@losses.register()
class CosineSimilarity(Loss):
    """-Σ y · p / (|y| |p|): -1 where both point in the same direction."""

    kinds = ("regression",)
    help = "The angle between prediction and target; their lengths do not count."
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True,
                   help="Along which axis; only the last is known here.")  # fmt: skip

    def values(self, y: Array, p: Array) -> Array:
        return -(y * _inverse_norm(y) * p * _inverse_norm(p)).sum(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        scale = _inverse_norm(p)
        p, y = p * scale, y * _inverse_norm(y)
        gradient = (p * (y * p).sum(axis=-1, keepdims=True) - y) * scale
        # A vector of zeros has no direction that it could turn from.
        return np.where(scale < 1 / epsilon(), gradient, 0)


def _inverse_norm(x: Array) -> Array:
    """1 / |x| along the last axis, at most 1 / ε."""
    norm = np.sqrt(np.square(x).sum(axis=-1, keepdims=True))
    return 1 / np.maximum(norm, epsilon())
