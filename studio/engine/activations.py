"""Activation functions and their derivatives (https://keras.io/api/layers/activations/).

Each is written twice: ``forward`` is the function, ``backward`` multiplies the gradient that
arrives by the derivative. Most derivatives can be written by the output y, which lets ``forward`` overwrite
its input; those that need the input z say ``saves = "input"``.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from studio.engine.params import Declared, Real
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Activation(Declared):
    """A function applied to every number of an array, or (softmax) along its last axis."""

    saves: ClassVar[Literal["output", "input"]] = "output"
    help: ClassVar[str] = ""

    def forward(self, z: Array, out: Array | None = None) -> Array:
        """y = f(z); ``out`` may be ``z`` itself where ``saves`` is ``"output"``."""
        raise NotImplementedError

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        """dz = dy · f'(z), from y or z as ``saves`` says; ``out`` may be ``dy`` itself."""
        raise NotImplementedError

    def __call__(self, x: Array) -> Array:
        """The function of an array, as Keras' ``activations.relu(x)``."""
        return self.forward(np.asarray(x))


activations: Registry[Activation] = Registry("an activation", Activation)


@activations.register()
class Linear(Activation):
    """y = z."""

    help = "Leaves the numbers as they are; the usual output of a regression."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        return z

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return dy


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
class Softmax(Activation):
    """y = exp(z) / Σ exp(z) along the last axis, shifted by max(z), which does not overflow."""

    help = "Turns the numbers of each sample into probabilities; the usual output for classes."

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        np.exp(y, out=y)
        y /= y.sum(axis=-1, keepdims=True)
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        along = (dy * saved).sum(axis=-1, keepdims=True)
        dz = np.subtract(dy, along, out=out)
        dz *= saved
        return dz
