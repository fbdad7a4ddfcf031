"""Activations whose outputs along an axis depend on each other; softmax is a common one."""

from __future__ import annotations

import numpy as np

from studio.engine.activations.base import Activation, activations, checked_axis
from studio.engine.activations.common import sigmoid
from studio.engine.errors import ShapeError
from studio.engine.params import Integer
from studio.engine.workspace import Array, Shape


@activations.register()
class LogSoftmax(Activation):
    """y = z - log Σ exp(z) along an axis, shifted by max(z), which does not overflow."""

    help = "The logarithms of softmax's probabilities."
    elementwise = False
    axis = Integer(-1, advanced=True, help="The axis along which the probabilities add up to 1.")

    @property
    def fits_any_shape(self) -> bool:
        return self.axis == -1

    def compute_output_shape(self, shape: Shape) -> Shape:
        checked_axis(self.axis, shape, "log_softmax")
        return shape

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.subtract(z, z.max(axis=self.axis, keepdims=True), out=out)
        y -= np.log(np.exp(y).sum(axis=self.axis, keepdims=True))
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        share = np.exp(saved)
        share *= dy.sum(axis=self.axis, keepdims=True)
        return np.subtract(dy, share, out=out)


@activations.register()
class Sparsemax(Activation):
    """The point of the probability simplex that is nearest to z: y = max(z - τ, 0), Σ y = 1.

    With z in falling order, τ = (Σ of the first k - 1) / k for the largest k whose z_k is above it.
    Keras adds up these sums over all k instead, so that its outputs do not add up to 1.
    Source: Martins and Astudillo, 2016
    """

    help = "Like softmax, but sets small probabilities to zero."
    elementwise = False
    axis = Integer(-1, advanced=True, help="The axis along which the outputs add up to 1.")

    @property
    def fits_any_shape(self) -> bool:
        return self.axis == -1

    def compute_output_shape(self, shape: Shape) -> Shape:
        checked_axis(self.axis, shape, "sparsemax")
        return shape

    def forward(self, z: Array, out: Array | None = None) -> Array:
        rows = np.moveaxis(z, self.axis, -1)
        falling = np.sort(rows, axis=-1)[..., ::-1]
        counts = np.arange(1, rows.shape[-1] + 1, dtype=z.dtype)
        # From the largest number down, for small differences of large numbers.
        top = falling[..., :1]
        # What is more than 1 below the largest has no part in it, however far it is.
        near = np.maximum(falling - top, -1)
        tau = (np.cumsum(near, axis=-1) - 1) / counts
        last = (near > tau).sum(axis=-1, keepdims=True) - 1
        tau = np.take_along_axis(tau, last, axis=-1)
        y = np.subtract(z, np.moveaxis(top, -1, self.axis), out=out)
        y -= np.moveaxis(tau, -1, self.axis)
        return np.maximum(y, 0, out=y)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        support = saved > 0
        dz = np.multiply(dy, support, out=out)
        mean = dz.sum(axis=self.axis, keepdims=True)
        mean /= support.sum(axis=self.axis, keepdims=True)
        dz -= mean
        dz *= support
        return dz


@activations.register("GLU")
class Glu(Activation):
    """y = a · σ(b), where a and b are the two halves of z along an axis (Dauphin et al., 2017)."""

    saves = "input"
    help = "One half of the numbers opens and closes the way for the other."
    elementwise = False
    axis = Integer(-1, advanced=True, help="The axis whose halves are taken.")

    @property
    def fits_any_shape(self) -> bool:
        return False

    def compute_output_shape(self, shape: Shape) -> Shape:
        axis = checked_axis(self.axis, shape, "glu")
        size = shape[axis]
        if size is not None and size % 2:
            raise ShapeError("an even number of values to halve", f"{size} of them", "glu")
        half = None if size is None else size // 2
        return (*shape[:axis], half, *shape[axis + 1 :])

    def forward(self, z: Array, out: Array | None = None) -> Array:
        a, b = np.split(z, 2, axis=self.axis)
        return np.multiply(a, sigmoid(b), out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        a, b = np.split(saved, 2, axis=self.axis)
        s = sigmoid(b)
        da = dy * s
        s *= 1 - s
        s *= a
        s *= dy
        return np.concatenate([da, s], axis=self.axis, out=out)
