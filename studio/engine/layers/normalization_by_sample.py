"""Layers that bring the numbers of each sample to mean 0 and variance 1, or to length 1."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError, ShapeError, dimensions
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.normalization import Affine, axis_of
from studio.engine.layers.planned import Planned
from studio.engine.params import Boolean, Integer, Integers, Real
from studio.engine.plan import Do, as_arrays
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_rows
from studio.engine.workspace import Array, Context, Shape, Workspace


@register()
class LayerNormalization(Affine, Planned):
    """y = gamma · (x - mean) / sqrt(variance + ε) + beta, over ``axis`` of each sample.

    Input shape: any. Output shape: the same.
    Source: Ba et al., 2016; https://keras.io/api/layers/normalization_layers/layer_normalization/
    """

    help = "Keeps the numbers of each sample at a steady size."

    axis = Integers((-1,), minimum=None, advanced=True, help="The axes that are taken together.")
    epsilon = Real(1e-3, above=0, advanced=True, help="Keeps the division finite.")
    center = Boolean(True, label="Center", help="Whether a learned number is added.")
    scale = Boolean(True, label="Scale", help="Whether a learned number is multiplied.")
    beta_initializer = Named(initializers, "zeros", advanced=True)
    gamma_initializer = Named(initializers, "ones", advanced=True)
    beta_regularizer = Named(regularizers, None, optional=True, advanced=True)
    gamma_regularizer = Named(regularizers, None, optional=True, advanced=True)
    beta_constraint = Named(constraints, None, optional=True, advanced=True)
    gamma_constraint = Named(constraints, None, optional=True, advanced=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if isinstance(kwargs.get("axis"), int):
            kwargs["axis"] = (kwargs["axis"],)
        super().__init__(*args, **kwargs)
        if len(set(self.axis)) < len(self.axis):
            raise ParameterError("each axis once", str(self.axis), f"{self.label} axis")

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = tuple(sorted(axis + rank if axis < 0 else axis for axis in self.axis))
        if not axes or any(not 1 <= axis < rank for axis in axes):
            raise ShapeError(
                f"an input that has the axes {self.axis}",
                dimensions(rank - 1),
                self.label,
            )
        return axes

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        self._axes(len(input_shape))
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """gamma and beta, of the sizes along ``axis``."""
        axes = self._axes(len(input_shape))
        return self.affine_specs(tuple(known(input_shape[axis], self, "size") for axis in axes))

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """n = (x - mean) · scale for each row, the numbers that are taken together."""
        axes, space = self._axes(x.ndim), context.workspace
        rows = _rows(x, axes, "x", space, do)
        size, epsilon = as_arrays(rows.shape[1], self.epsilon, dtype=x.dtype)
        n, y = (space.array(name, rows.shape, x.dtype) for name in ("n", "y"))
        mean, scale = (space.array(name, (len(n), 1), x.dtype) for name in ("mean", "scale"))
        do(np.add.reduce, rows, axis=1, keepdims=True, out=mean)
        do(np.divide, mean, size, out=mean)
        do(np.subtract, rows, mean, out=n)
        do(np.einsum, "ij,ij->i", n, n, out=scale[:, 0])
        do(np.divide, scale, size, out=scale)
        do(np.add, scale, epsilon, out=scale)
        do(np.sqrt, scale, out=scale)
        do(np.divide, 1, scale, out=scale)
        do(np.multiply, n, scale, out=n)
        do(np.multiply, n, self.factor, out=y)
        if self.center:
            do(np.add, y, self["beta"].reshape(-1), out=y)
        return _from_rows(y, x.shape, axes), (n, scale, axes)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dx = scale · (dn - mean(dn) - n · mean(n · dn)) with dn = gamma · dy.

        Mean and variance depend on each number of the row too.
        """
        n, scale, axes = cache
        space = context.workspace
        rows = _rows(dy, axes, "dy", space, do)
        (size,) = as_arrays(rows.shape[1], dtype=dy.dtype)
        spare, dx = (space.array(name, n.shape, dy.dtype) for name in ("spare", "dx"))
        mean, along = (space.array(name, (len(n), 1), dy.dtype) for name in ("mean", "along"))
        sums = space.array("sums", (2, n.shape[1]), dy.dtype)
        do(np.multiply, rows, n, out=spare)
        add_rows(spare, sums[0], do)
        add_rows(rows, sums[1], do)
        gradients = self.affine_gradients(context, sums[0], sums[1], do)
        do(np.multiply, rows, self.factor, out=dx)
        do(np.einsum, "ij,ij->i", dx, n, out=along[:, 0])
        do(np.divide, along, size, out=along)
        do(np.add.reduce, dx, axis=1, keepdims=True, out=mean)
        do(np.divide, mean, size, out=mean)
        do(np.subtract, dx, mean, out=dx)
        do(np.multiply, n, along, out=spare)
        do(np.subtract, dx, spare, out=dx)
        do(np.multiply, dx, scale, out=dx)
        return _from_rows(dx, dy.shape, axes), gradients


def _rows(x: Array, axes: tuple[int, ...], name: str, space: Workspace, do: Do) -> Array:
    """(others, axes): a row for each set of numbers that are taken together, without gaps."""
    ends = tuple(range(x.ndim - len(axes), x.ndim))
    moved = without_gaps(np.moveaxis(x, axes, ends), f"{name} in rows", space, do)
    return moved.reshape(-1, prod(moved.shape[ends[0] :]))


def _from_rows(rows: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """What :func:`_rows` made of an array of that shape, as it was."""
    others = [size for axis, size in enumerate(shape) if axis not in axes]
    moved = rows.reshape(*others, *(shape[axis] for axis in axes))
    return np.moveaxis(moved, range(len(others), len(shape)), axes)


@register()
class UnitNormalization(Layer):
    """y = x / |x| along ``axis``: every sample gets the length 1.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/normalization_layers/unit_normalization/
    """

    category = "Normalization"
    help = "Gives the numbers of each sample the length 1."

    axis = Integer(-1, label="Axis", help="Along which axis the length is taken.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        axis_of(self, self.axis, len(input_shape))
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """x / sqrt(Σ x²), the root at least 1e-12."""
        self.compute_output_shape(x.shape)
        length = np.sqrt(np.square(x).sum(axis=self.axis, keepdims=True))
        scale = 1 / np.maximum(length, x.dtype.type(1e-12))
        y = x * scale
        return y, (y, scale, length >= 1e-12)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """The part of dy that is at a right angle to y, over the length."""
        y, scale, long = cache
        along = (dy * y).sum(axis=self.axis, keepdims=True) * long
        return (dy - y * along) * scale, {}
