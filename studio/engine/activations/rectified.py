"""Activations made of straight pieces, and their relatives with one bend."""

from __future__ import annotations

import numpy as np

from studio.engine.activations.base import Activation, activations
from studio.engine.params import Real
from studio.engine.workspace import Array


@activations.register("ReLU")
class Relu(Activation):
    """y = max(z, 0)."""

    help = "Cuts negative numbers to zero; the usual choice inside a network."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.maximum(z, 0, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved > 0, out=out)


@activations.register()
class LeakyRelu(Activation):
    """y = z where z > 0, else negative_slope · z."""

    help = "Like relu, but lets a fraction of negative numbers through."
    negative_slope = Real(0.2, minimum=0, label="Negative slope", help="The slope below zero.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, np.where(z > 0, 1, self.negative_slope).astype(z.dtype), out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(
            dy, np.where(saved > 0, 1, self.negative_slope).astype(dy.dtype), out=out
        )


@activations.register("relu6", "ReLU6")
class Relu6(Activation):
    """y = min(max(z, 0), 6)."""

    help = "Like relu, but never above 6."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.clip(z, 0, 6, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, (saved > 0) & (saved < 6), out=out)


@activations.register()
class Elu(Activation):
    """y = z where z > 0, else alpha · (exp(z) - 1) (Clevert et al., 2015)."""

    help = "Like relu, with a smooth bend below zero."
    saves = "input"
    alpha = Real(1.0, minimum=0, label="Alpha", help="What it tends to far below zero, negated.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.where(z > 0, z, np.expm1(np.minimum(z, 0)) * z.dtype.type(self.alpha))

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.exp(np.minimum(saved, 0)) * saved.dtype.type(self.alpha)
        return np.multiply(dy, np.where(saved > 0, saved.dtype.type(1), slope), out=out)


@activations.register()
class Selu(Activation):
    """y = 1.0507 · (z where z > 0, else 1.6733 · (exp(z) - 1)) (Klambauer et al., 2017)."""

    help = "A scaled elu that keeps mean and variance through a network."
    saves = "input"
    SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return Elu(self.ALPHA).forward(z) * z.dtype.type(self.SCALE)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(Elu(self.ALPHA).backward(dy, saved), dy.dtype.type(self.SCALE), out=out)


@activations.register()
class Celu(Activation):
    """y = max(z, 0) + min(alpha · (exp(z / alpha) - 1), 0) (Barron, 2017)."""

    help = "An elu whose slope has no jump."
    saves = "input"
    alpha = Real(1.0, above=0, label="Alpha", help="What it tends to far below zero, negated.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        alpha = z.dtype.type(self.alpha)
        return np.maximum(z, 0) + alpha * np.expm1(np.minimum(z, 0) / alpha)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.exp(np.minimum(saved, 0) / saved.dtype.type(self.alpha)), out=out)


@activations.register()
class HardTanh(Activation):
    """y = min(max(z, -1), 1)."""

    help = "A tanh of straight pieces."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.clip(z, -1, 1, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.abs(saved) < 1, out=out)


@activations.register()
class HardSigmoid(Activation):
    """y = min(max(z / 6 + 1 / 2, 0), 1)."""

    help = "A sigmoid of straight pieces."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.multiply(z, 1 / 6, out=out)
        y += 0.5
        return np.clip(y, 0, 1, out=y)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        inside = (saved > 0) & (saved < 1)
        return np.multiply(dy, inside * dy.dtype.type(1 / 6), out=out)


@activations.register("hard_swish")
class HardSilu(Activation):
    """y = z · min(max(z / 6 + 1 / 2, 0), 1) (Howard et al., 2019)."""

    help = "A silu of straight pieces."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z * HardSigmoid().forward(z)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        y = HardSigmoid().forward(saved)
        slope = y + saved * ((y > 0) & (y < 1)) * saved.dtype.type(1 / 6)
        return np.multiply(dy, slope, out=out)


@activations.register()
class HardShrink(Activation):
    """y = z where |z| > threshold, else 0."""

    help = "Cuts small numbers to zero."
    saves = "input"
    threshold = Real(0.5, minimum=0, label="Threshold", help="Up to it numbers are cut.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z * (np.abs(z) > self.threshold)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.abs(saved) > self.threshold, out=out)


@activations.register()
class SoftShrink(Activation):
    """y = z - threshold · sign(z) where |z| > threshold, else 0."""

    help = "Moves numbers towards zero, small ones to zero."
    saves = "input"
    threshold = Real(0.5, minimum=0, label="Threshold", help="By how much numbers shrink.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        limit = z.dtype.type(self.threshold)
        return z - np.clip(z, -limit, limit)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.abs(saved) > self.threshold, out=out)


@activations.register()
class SparsePlus(Activation):
    """y = 0 up to -1, (z + 1)² / 4 up to 1, z above."""

    help = "A relu with a smooth bend."
    saves = "input"

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.where(z <= -1, 0, np.where(z < 1, np.square(z + 1) / 4, z)).astype(z.dtype)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, np.clip((saved + 1) / 2, 0, 1), out=out)


@activations.register()
class SparseSigmoid(Activation):
    """y = min(max((z + 1) / 2, 0), 1)."""

    help = "A steeper sigmoid of straight pieces."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.multiply(z, 0.5, out=out)
        y += 0.5
        return np.clip(y, 0, 1, out=y)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        inside = (saved > 0) & (saved < 1)
        return np.multiply(dy, inside * dy.dtype.type(0.5), out=out)
