"""Activation functions and their derivatives (https://keras.io/api/layers/activations/).

Each is written twice: ``forward`` is the function, ``backward`` multiplies the gradient that
arrives by the derivative. Most derivatives can be written by the output y, which lets ``forward`` overwrite
its input; those that need the input z say ``saves = "input"``.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from studio.engine.params import Declared
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Activation(Declared):
    """A function applied to every number of an array, or (softmax) along its last axis."""

    saves: ClassVar[Literal["output", "input"]] = "output"
    elementwise: ClassVar[bool] = True
    """Whether each number of the output depends on one number of the input."""
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
