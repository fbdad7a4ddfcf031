"""Smooth activations. All are written so that no step of them overflows or cancels."""

from __future__ import annotations

import math

import numpy as np

from studio.engine.activations.base import Activation, Sloped, activations
from studio.engine.activations.common import sigmoid
from studio.engine.params import Real
from studio.engine.workspace import Array


def softplus(z: Array, out: Array | None = None) -> Array:
    """log(1 + exp(z)), as max(z, 0) + log(1 + exp(-|z|))."""
    rest = np.abs(z)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    y = np.maximum(z, 0, out=out)
    y += rest
    return y


@activations.register()
class Softplus(Activation):
    """y = log(1 + exp(z)); its slope is σ(z) = 1 - exp(-y)."""

    help = "A smooth relu that is always above zero."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return softplus(z, out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.expm1(-saved)
        return np.multiply(dy, np.negative(slope, out=slope), out=out)


@activations.register()
class Softsign(Activation):
    """y = z / (1 + |z|); its slope is (1 - |y|)²."""

    help = "Squeezes numbers into -1 to 1, slower than tanh."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        size = np.abs(z)
        size += 1
        return np.divide(z, size, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = 1 - np.abs(saved)
        slope *= slope
        return np.multiply(dy, slope, out=out)


@activations.register()
class Exponential(Activation):
    """y = exp(z)."""

    help = "Makes positive numbers of any; for rates and counts."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.exp(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved, out=out)


@activations.register()
class Mish(Sloped):
    """y = z · t with t = tanh(softplus(z)); its slope is t + z · σ(z) · (1 - t²) (Misra, 2019)."""

    help = "A smooth relu that dips below zero."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, np.tanh(softplus(z)), out=out)

    def with_slope(self, z: Array, out: Array) -> Array:
        t = np.tanh(softplus(z))
        np.multiply(z, t, out=out)
        z *= sigmoid(z)
        z *= 1 - t * t
        z += t
        return out


@activations.register("CELU")
class Celu(Activation):
    """y = z where z > 0, else alpha · (exp(z / alpha) - 1) (Barron, 2017)."""

    help = "An elu whose slope has no jump, whatever its alpha."
    alpha = Real(1.0, above=0, label="Alpha", help="Minus the value that it bends to.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        below = np.minimum(z, 0)
        below /= self.alpha
        np.expm1(below, out=below)
        below *= self.alpha
        y = np.maximum(z, 0, out=out)
        y += below
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.minimum(saved, 0)
        slope /= self.alpha
        slope += 1
        return np.multiply(dy, slope, out=out)


@activations.register()
class LogSigmoid(Activation):
    """y = log σ(z) = -softplus(-z); its slope is σ(-z) = 1 - exp(y)."""

    help = "The logarithm of a sigmoid, for losses on log-probabilities."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = softplus(-z, out)
        return np.negative(y, out=y)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.expm1(saved)
        return np.multiply(dy, np.negative(slope, out=slope), out=out)


@activations.register()
class TanhShrink(Activation):
    """y = z - tanh(z)."""

    saves = "input"
    help = "Sets numbers near zero almost to zero."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.subtract(z, np.tanh(z), out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        t = np.tanh(saved)
        t *= t
        return np.multiply(dy, t, out=out)


@activations.register()
class Squareplus(Activation):
    """y = (z + r) / 2 with r = √(z² + b); its slope is y / r.

    Written as max(z, 0) + b / 2 / (|z| + r), which does not cancel below zero.
    Source: Barron, 2021
    """

    saves = "input"
    help = "A smooth relu that needs no exponential."
    b = Real(4.0, above=0, label="b", help="How round the bend at zero is.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        rest = np.abs(z)
        rest += np.hypot(z, math.sqrt(self.b))
        np.divide(0.5 * self.b, rest, out=rest)
        return np.add(np.maximum(z, 0), rest, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = self.forward(saved)
        slope /= np.hypot(saved, math.sqrt(self.b))
        return np.multiply(dy, slope, out=out)
