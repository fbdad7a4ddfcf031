"""Activations without corners."""

from __future__ import annotations

import numpy as np

from studio.engine.activations.base import Activation, activations
from studio.engine.params import Boolean, Real
from studio.engine.workspace import Array


@activations.register()
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-z)), as (tanh(z/2) + 1) / 2, which does not overflow."""

    help = "Squeezes numbers into 0 to 1; the usual output for two classes."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.multiply(z, 0.5, out=out)
        np.tanh(y, out=y)
        y += 1
        y *= 0.5
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved * (1 - saved), out=out)


@activations.register()
class Tanh(Activation):
    """y = tanh(z)."""

    help = "Squeezes numbers into -1 to 1; the usual choice inside a recurrent layer."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.tanh(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, 1 - saved * saved, out=out)


@activations.register()
class Exponential(Activation):
    """y = exp(z)."""

    help = "Makes every number positive, large ones very large."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.exp(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved, out=out)


@activations.register("swish")
class Silu(Activation):
    """y = z · sigmoid(z) (Ramachandran et al., 2017)."""

    help = "A smooth relu that dips below zero; also known as swish."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z * Sigmoid().forward(z)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        s = Sigmoid().forward(saved)
        return np.multiply(dy, s * (1 + saved * (1 - s)), out=out)


@activations.register()
class Softplus(Activation):
    """y = log(1 + exp(z)), as max(z, 0) + log(1 + exp(-|z|)), which does not overflow."""

    help = "A smooth relu that is always positive."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, Sigmoid().forward(saved), out=out)


@activations.register()
class LogSigmoid(Activation):
    """y = log(sigmoid(z)) = -softplus(-z)."""

    help = "The logarithm of a sigmoid."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return -Softplus().forward(-z)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, Sigmoid().forward(-saved), out=out)


@activations.register()
class Softsign(Activation):
    """y = z / (1 + |z|)."""

    help = "Squeezes numbers into -1 to 1, more gently than tanh."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.divide(z, 1 + np.abs(z), out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.square(1 - np.abs(saved)), out=out)


@activations.register()
class Mish(Activation):
    """y = z · tanh(softplus(z)) (Misra, 2019)."""

    help = "A smooth relu that dips below zero."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z * np.tanh(Softplus().forward(z))

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        t = np.tanh(Softplus().forward(saved))
        slope = t + saved * (1 - t * t) * Sigmoid().forward(saved)
        return np.multiply(dy, slope, out=out)


@activations.register()
class TanhShrink(Activation):
    """y = z - tanh(z)."""

    help = "Moves small numbers close to zero."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z - np.tanh(z)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.square(np.tanh(saved)), out=out)


@activations.register()
class Squareplus(Activation):
    """y = (z + sqrt(z² + b)) / 2 (Barron, 2021)."""

    help = "A smooth relu without exponentials."
    saves = "input"
    b = Real(4.0, minimum=0, label="B", help="How wide the bend is.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return (z + np.sqrt(z * z + z.dtype.type(self.b))) / 2

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = (1 + saved / np.sqrt(saved * saved + saved.dtype.type(self.b))) / 2
        return np.multiply(dy, slope, out=out)


@activations.register()
class Gelu(Activation):
    """y = z · Φ(z), Φ the normal distribution; or an approximation by tanh.

    Source: Hendrycks and Gimpel, 2016.
    """

    help = "A smooth relu weighted by the normal distribution."
    saves = "input"
    approximate = Boolean(False, label="Approximate", help="Whether tanh stands for the exact Φ.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z * self._share(z)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        share = self._share(saved)
        if self.approximate:
            inner = 0.7978845608028654 * (1 + 3 * 0.044715 * saved * saved)
            density = 2 * share * (1 - share) * inner
        else:
            density = np.exp(-saved * saved / 2) * saved.dtype.type(0.3989422804014327)
        return np.multiply(dy, share + saved * density, out=out)

    def _share(self, z: Array) -> Array:
        """Φ(z), or what stands for it."""
        if self.approximate:
            inner = 0.7978845608028654 * (z + 0.044715 * z * z * z)
            return (np.tanh(inner) + 1) / 2
        return (erf(z * z.dtype.type(0.7071067811865476)) + 1) / 2


def erf(x: Array) -> Array:
    """The error function, within 2e-16 of its value.

    Below 2.5 by its series exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · 5 …) · 2 / sqrt(π), above by the continued
    fraction of its complement. Source: Abramowitz and Stegun, 7.1.6 and 7.1.14.
    """
    a = np.minimum(np.abs(x).astype(np.float64), 6.0)
    low = np.minimum(a, 2.5)
    square = 2 * low * low
    term = low.copy()
    total = low.copy()
    for n in range(1, 60):
        term *= square / (2 * n + 1)
        total += term
    near = total * np.exp(-low * low) * 1.1283791670955126
    high = np.maximum(a, 2.5)
    fraction = np.zeros_like(high)
    for n in range(60, 0, -1):
        fraction = n / 2 / (high + fraction)
    far = 1 - np.exp(-high * high) / (high + fraction) * 0.5641895835477563
    return np.copysign(np.where(a < 2.5, near, far), x).astype(x.dtype)
