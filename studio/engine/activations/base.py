"""What an activation function is, and the list of all.

Each is written twice: ``forward`` is the function, ``backward`` multiplies the gradient that
arrives by the derivative. Most derivatives can be written by the output y, which lets ``forward``
overwrite its input; those that need the input z say ``saves = "input"``. Where function and
derivative share most of their work (:class:`Sloped`), layers have both found at once. Layers have
them found by ``lay`` and ``lay_back``, which the most usual ones write out as calls of NumPy.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from studio.engine.errors import ShapeError
from studio.engine.params import Declared
from studio.engine.plan import Do
from studio.engine.registry import Registry
from studio.engine.workspace import Array, Shape, Workspace


class Activation(Declared):
    """A function applied to every number of an array, or (softmax) along an axis."""

    saves: ClassVar[Literal["output", "input"]] = "output"
    elementwise: ClassVar[bool] = True
    """Whether each number of the output depends on one number of the input."""
    help: ClassVar[str] = ""

    @property
    def keeps_largest(self) -> bool:
        """Whether it may as well be applied to the largest of some numbers only.

        That asks for more than never falling: numbers that it makes equal must have no slope, so
        that it does not matter which of them counts as the largest.
        """
        return False

    @property
    def fits_any_shape(self) -> bool:
        """Whether it takes, and returns, arrays of any shape; layers with weights need such."""
        return True

    def forward(self, z: Array, out: Array | None = None) -> Array:
        """y = f(z); ``out`` may be ``z`` itself where ``saves`` is ``"output"``."""
        raise NotImplementedError

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        """dz = dy · f'(z), from y or z as ``saves`` says; ``out`` may be ``dy`` itself."""
        raise NotImplementedError

    def lay(self, z: Array, out: Array, do: Do) -> None:
        """Have f(z) found in every step; ``out`` may be z where ``saves`` is ``"output"``.

        In z, or in the output where that is saved, stays what :meth:`lay_back` needs.
        """
        do(self.forward, z, out)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        """Have dy · f'(z) found, in memory of its own, from what :meth:`lay` left."""
        do(self.backward, dy, kept, out)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The shape of y for a z of ``shape``.

        Raises:
            ShapeError: if it has no such axis, or one that cannot be taken.
        """
        return shape

    def __call__(self, x: Any) -> Array:
        """The function of an array, as Keras' ``activations.relu(x)``."""
        return self.forward(np.asarray(x))


class Sloped(Activation):
    """One that is found together with its derivative with hardly more work than alone."""

    saves = "input"

    def with_slope(self, z: Array, out: Array) -> Array:
        """y = f(z) in ``out``; f'(z) takes the place of z."""
        raise NotImplementedError

    def lay(self, z: Array, out: Array, do: Do) -> None:
        do(self.with_slope, z, out)

    def lay_back(self, dy: Array, kept: Array, out: Array, space: Workspace, do: Do) -> None:
        do(np.multiply, dy, kept, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        slope = saved.copy()
        self.with_slope(slope, np.empty_like(slope))
        return np.multiply(dy, slope, out=out)


activations: Registry[Activation] = Registry("an activation", Activation)


def checked_axis(axis: int, shape: Shape, where: str) -> int:
    """The axis, counted from the front.

    Raises:
        ShapeError: if the shape has none of that number, or if it is that of the samples.
    """
    if not -len(shape) < axis < len(shape) or axis == 0:
        last = len(shape) - 1
        raise ShapeError(f"an axis from 1 to {last} or from -1 to -{last}", f"{axis}", where)
    return axis % len(shape)
