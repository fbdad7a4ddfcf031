"""Activations made of straight lines and parabolas."""

from __future__ import annotations

import numpy as np

from studio.engine.activations.base import Activation, activations
from studio.engine.params import Real
from studio.engine.workspace import Array


def clipped(z: Array, slope: float, shift: float, low: float, high: float) -> Array:
    """slope · z + shift between two bounds."""
    y = z * slope
    y += shift
    return np.clip(y, low, high, out=y)


@activations.register("ReLU6")
class Relu6(Activation):
    """y = min(max(z, 0), 6)."""

    help = "A relu that stops at 6."

    @property
    def keeps_largest(self) -> bool:
        return True

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.clip(z, 0, 6, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, (saved > 0) & (saved < 6), out=out)


@activations.register()
class HardSigmoid(Activation):
    """y = z / 6 + 1 / 2 between 0 and 1."""

    help = "A sigmoid made of straight lines."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.clip(z, -3, 3, out=out)
        y += 3
        y /= 6
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        dz = np.multiply(dy, (saved > 0) & (saved < 1), out=out)
        dz /= 6
        return dz


@activations.register("hard_swish", "HardSwish", "HardSiLU")
class HardSilu(Activation):
    """y = z · hard_sigmoid(z) (Howard et al., 2019)."""

    saves = "input"
    help = "A silu made of two lines and a parabola; also named hard_swish."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, clipped(z, 1 / 6, 0.5, 0, 1), out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = saved * (1 / 3)
        slope += 0.5
        np.copyto(slope, 0, where=saved <= -3)
        np.copyto(slope, 1, where=saved >= 3)
        return np.multiply(dy, slope, out=out)


@activations.register()
class HardTanh(Activation):
    """y = z between -1 and 1."""

    help = "A tanh made of straight lines."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.clip(z, -1, 1, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, (saved > -1) & (saved < 1), out=out)


@activations.register()
class HardShrink(Activation):
    """y = z where |z| > threshold, else 0."""

    help = "Sets small numbers to zero."
    threshold = Real(0.5, minimum=0, label="Threshold", help="How large numbers must be.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, np.abs(z) > self.threshold, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved != 0, out=out)


@activations.register()
class SoftShrink(Activation):
    """y = z moved towards 0 by the threshold, and no further than to 0."""

    help = "Moves all numbers towards zero."
    threshold = Real(0.5, minimum=0, label="Threshold", help="How far numbers move.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        near = np.clip(z, -self.threshold, self.threshold)
        return np.subtract(z, near, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved != 0, out=out)


@activations.register()
class SparsePlus(Activation):
    """y = 0 up to -1, (z + 1)² / 4 up to 1, z from there on."""

    help = "A softplus that is exactly zero below -1."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        curve = clipped(z, 0.5, 0.5, 0, 1)
        curve *= curve
        # Up to 1 the curve is above the line, which it touches there.
        return np.maximum(z, curve, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.minimum(saved, 1)
        return np.multiply(dy, np.sqrt(slope, out=slope), out=out)


@activations.register()
class SparseSigmoid(Activation):
    """y = (z + 1) / 2 between 0 and 1 (Blondel et al., 2019)."""

    help = "A sigmoid that is exactly 0 below -1 and 1 above 1."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.clip(z, -1, 1, out=out)
        y += 1
        y *= 0.5
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        dz = np.multiply(dy, (saved > 0) & (saved < 1), out=out)
        dz *= 0.5
        return dz


@activations.register()
class Threshold(Activation):
    """y = z where z > threshold, else default_value."""

    saves = "input"
    help = "Puts a fixed value in place of numbers up to a threshold."
    threshold = Real(initial=0.0, label="Threshold", help="Numbers above it stay.")
    default_value = Real(initial=0.0, label="Default value", help="What the others become.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.positive(z, out=out)
        np.copyto(y, self.default_value, where=z <= self.threshold)
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.multiply(dy, saved > self.threshold, out=out)
