"""The activations that most networks are made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from studio.engine.activations.base import Activation, Sloped, activations, checked_axis
from studio.engine.activations.normal import normal
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do, as_arrays, at_once
from studio.engine.sums import fold
from studio.engine.workspace import Array, Shape, Workspace

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
"""The fixed point of mean 0 and variance 1 (Klambauer et al., 2017, equation 14)."""
TANH_IS_ONE = 10.0
"""From here on tanh of gelu's polynomial is 1 in every number type, so z³ need not grow further."""
FEW = 1 << 12
"""So many numbers are quicker compared with zero than clipped."""


@activations.register()
class Linear(Activation):
    """y = z."""

    help = "Leaves the numbers as they are; the usual output of a regression."

    @property
    def keeps_largest(self) -> bool:
        return True

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return dy

    def lay(self, z: Array, out: Array, do: Do) -> None:
        if out is not z:
            do(np.copyto, out, z)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        do(np.copyto, out, dy)


@activations.register("ReLU")
class Relu(Activation):
    """y = max(z, 0); in full: min(z, max_value) above the threshold, else slope · (z - threshold).

    Source: Nair and Hinton, 2010; https://keras.io/api/layers/activation_layers/relu/
    """

    help = "Cuts negative numbers to zero; the usual choice inside a network."
    negative_slope = Real(0.0, minimum=0, advanced=True, help="The slope below the threshold.")
    max_value = Real(None, minimum=0, optional=True, advanced=True, help="The largest output.")
    threshold = Real(0.0, minimum=0, advanced=True, help="Where numbers begin to pass.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.top = math.inf if self.max_value is None else self.max_value  # pyright: ignore[reportUnnecessaryComparison]
        self.plain = not self.negative_slope and not self.threshold and self.top == math.inf

    @property
    def keeps_largest(self) -> bool:
        return self.plain

    def forward(self, z: Array, out: Array | None = None) -> Array:
        if self.plain:
            # Faster than a maximum with one number.
            return z.clip(0, math.inf, out=out)
        passes = z > self.threshold
        below = z - self.threshold
        below *= self.negative_slope
        y = np.minimum(z, self.top, out=out)
        np.copyto(y, below, where=~passes)
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        passes = saved > 0
        if self.plain:
            return np.multiply(dy, passes, out=out)
        # At the bend itself Keras takes the slope below it only where that is all there is.
        leaky = not self.threshold and self.top == math.inf
        below = saved <= 0 if leaky else saved < 0
        slope = np.multiply(below, dy.dtype.type(self.negative_slope))
        slope += passes & (saved < self.top)
        return np.multiply(dy, slope, out=out)

    def lay(self, z: Array, out: Array, do: Do) -> None:
        if self.plain and z.size <= FEW:
            do(np.maximum, z, *as_arrays(0, dtype=z.dtype), out=out)
        elif self.plain:
            do(z.clip, 0, math.inf, out)
        else:
            super().lay(z, out, do)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        if not self.plain:
            super().lay_back(dy, kept, out, space, do)
            return
        few = kept.size <= FEW
        passes = space.array("passes", kept.shape, kept.dtype if few else bool)
        if few:
            # What is not negative has a sign of 0 or 1, which needs no conversion.
            do(np.sign, kept, out=passes)
        else:
            do(np.greater, kept, *as_arrays(0, dtype=kept.dtype), out=passes)
        do(np.multiply, dy, passes, out=out)


@activations.register("LeakyReLU")
class LeakyRelu(Activation):
    """y = z where z > 0, else negative_slope · z (Maas et al., 2013)."""

    help = "Like relu, but lets a fraction of negative numbers through."
    negative_slope = Real(0.2, minimum=0, label="Negative slope", help="The slope below zero.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        below = z * self.negative_slope
        return (np.maximum if self.negative_slope <= 1 else np.minimum)(z, below, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = np.multiply(saved > 0, dy.dtype.type(1 - self.negative_slope))
        slope += self.negative_slope
        return np.multiply(dy, slope, out=out)


@activations.register()
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-z))."""

    help = "Squeezes numbers into 0 to 1; the usual output for two classes."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        # By a product, as that of whole numbers is none.
        y = np.multiply(z, -1.0, out=out)
        # An exponential that is too large for a number makes the 0 that it should.
        with np.errstate(over="ignore"):
            self._lay_rest(y, at_once)
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = 1 - saved
        slope *= saved
        return np.multiply(dy, slope, out=out)

    def lay(self, z: Array, out: Array, do: Do) -> None:
        do(np.negative, z, out=out)
        self._lay_rest(out, do)

    def _lay_rest(self, y: Array, do: Do) -> None:
        """Have -z replaced."""
        do(np.exp, y, out=y)
        do(np.add, y, *as_arrays(1, dtype=y.dtype), out=y)
        do(np.reciprocal, y, out=y)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        do(np.subtract, *as_arrays(1, dtype=kept.dtype), kept, out=out)
        do(np.multiply, out, kept, out=out)
        do(np.multiply, dy, out, out=out)


@activations.register()
class Tanh(Activation):
    """y = tanh(z)."""

    help = "Squeezes numbers into -1 to 1; the usual choice inside a recurrent layer."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.tanh(z, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = saved * saved
        np.subtract(1, slope, out=slope)
        return np.multiply(dy, slope, out=out)

    def lay(self, z: Array, out: Array, do: Do) -> None:
        do(np.tanh, z, out=out)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        do(np.multiply, kept, kept, out=out)
        do(np.subtract, *as_arrays(1, dtype=kept.dtype), out, out=out)
        do(np.multiply, dy, out, out=out)


@activations.register()
class Softmax(Activation):
    """y = exp(z) / Σ exp(z) along an axis, shifted by max(z), which does not overflow."""

    help = "Turns the numbers of each sample into probabilities; the usual output for classes."
    elementwise = False
    axis = Integer(-1, advanced=True, help="The axis along which the outputs add up to 1.")

    @property
    def fits_any_shape(self) -> bool:
        return self.axis == -1

    def compute_output_shape(self, shape: Shape) -> Shape:
        checked_axis(self.axis, shape, "softmax")
        return shape

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.empty_like(z) if out is None else out
        rows, results = z.swapaxes(self.axis, -1), y.swapaxes(self.axis, -1)
        line = np.empty((*rows.shape[:-1], 1), z.dtype)
        fold(np.fmax, rows, line, at_once)
        np.subtract(rows, line, out=results)
        np.exp(y, out=y)
        fold(np.add, results, line, at_once)
        results /= line
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        along = (dy * saved).sum(axis=self.axis, keepdims=True)
        dz = np.subtract(dy, along, out=out)
        dz *= saved
        return dz


@activations.register("ELU")
class Elu(Activation):
    """y = z where z > 0, else alpha · (exp(z) - 1) (Clevert et al., 2016)."""

    help = "Like relu, but bends smoothly to a negative value."
    alpha = Real(1.0, minimum=0, label="Alpha", help="Minus the value that it bends to.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return bent(z, self.alpha, 1.0, out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return straightened(dy, saved, self.alpha, 1.0, out)


@activations.register()
class Selu(Activation):
    """y = scale · z where z > 0, else scale · alpha · (exp(z) - 1) (Klambauer et al., 2017)."""

    help = "An elu whose outputs keep mean 0 and variance 1; for weights of lecun_normal."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return bent(z, SELU_SCALE * SELU_ALPHA, SELU_SCALE, out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return straightened(dy, saved, SELU_SCALE * SELU_ALPHA, SELU_SCALE, out)


def bent(z: Array, alpha: float, scale: float, out: Array | None) -> Array:
    """scale · z where z > 0, else alpha · (exp(z) - 1)."""
    below = np.minimum(z, 0)
    np.expm1(below, out=below)
    below *= alpha
    y = np.maximum(z, 0, out=out)
    if scale != 1:
        y *= scale
    y += below
    return y


def straightened(dy: Array, y: Array, alpha: float, scale: float, out: Array | None) -> Array:
    """dy times the slope of :func:`bent`: scale where y > 0, else y + alpha = alpha · exp(z)."""
    slope = np.minimum(y, 0)
    slope += alpha
    if scale != alpha:
        slope += np.multiply(y > 0, y.dtype.type(scale - alpha))
    return np.multiply(dy, slope, out=out)


@activations.register()
class Gelu(Sloped):
    """y = z · Φ(z), Φ the normal distribution; its slope is Φ(z) + z · Φ'(z).

    Approximated as z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³))) where asked for.
    Source: Hendrycks and Gimpel, 2016
    """

    help = "A smooth relu, usual in transformers."
    approximate = Boolean(False, advanced=True, help="Whether tanh stands for the distribution.")

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, self._share(z)[0], out=out)

    def with_slope(self, z: Array, out: Array) -> Array:
        share, density = self._share(z)
        np.multiply(z, share, out=out)
        z *= density
        z += share
        return out

    def _share(self, z: Array) -> tuple[Array, Array]:
        return self._tanh(z) if self.approximate else normal(z)

    def _tanh(self, z: Array) -> tuple[Array, Array]:
        """What tanh puts in place of Φ, and its derivative."""
        z = np.clip(z, -TANH_IS_ONE, TANH_IS_ONE)
        factor = math.sqrt(2 / math.pi)
        square = z * z
        t = np.tanh(factor * z * (1 + 0.044715 * square))
        return 0.5 * (1 + t), 0.5 * (1 - t * t) * factor * (1 + 0.134145 * square)


@activations.register("swish", "SiLU")
class Silu(Sloped):
    """y = z · σ(z), with the slope σ(z) + y · (1 - σ(z)) (Ramachandran et al., 2017)."""

    help = "A smooth relu that dips below zero; also named swish."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return np.multiply(z, sigmoid(z), out=out)

    def with_slope(self, z: Array, out: Array) -> Array:
        s = sigmoid(z)
        np.multiply(z, s, out=out)
        np.subtract(1, s, out=z)
        z *= out
        z += s
        return out


sigmoid = Sigmoid()
