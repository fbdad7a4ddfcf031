"""Layers that bring the numbers of each sample to mean 0 and variance 1, or to length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError, ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.layers.normalization import Affine, axis_of
from studio.engine.params import Boolean, Integer, Integers, Real
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


def normalized_back(dn: Array, n: Array, scale: Array, axes: tuple[int, ...]) -> Array:
    """The gradient of x, where n = (x - mean) · scale over ``axes``, from that of n."""
    mean = dn.mean(axis=axes, keepdims=True)
    along = (dn * n).mean(axis=axes, keepdims=True)
    return (dn - mean - n * along) * scale


def _moments(x: Array, axes: tuple[int, ...], count: Array | None) -> tuple[Array, Array]:
    if count is None:
        mean = x.mean(axis=axes, keepdims=True)
        return mean, np.square(x - mean).mean(axis=axes, keepdims=True)
    total = np.broadcast_to(count, x.shape).sum(axis=axes, keepdims=True)
    mean = (x * count).sum(axis=axes, keepdims=True) / total
    return mean, (np.square(x - mean) * count).sum(axis=axes, keepdims=True) / total


@register()
class LayerNormalization(Affine):
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
                f"{rank - 1} dimensions per sample",
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

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Each sample by its own mean and variance."""
        axes = self._axes(x.ndim)
        shape = tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))
        mean, variance = _moments(x, axes, None)
        scale = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        n = (x - mean) * scale
        return self.affine(n, shape), (n, scale, axes, shape)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Mean and variance depend on each number too."""
        n, scale, axes, shape = cache
        dn, gradients = self.affine_back(dy, n, shape, context)
        return normalized_back(dn, n, scale, axes), gradients


@register()
class GroupNormalization(Affine):
    """y = gamma · (x - mean) / sqrt(variance + ε) + beta, over groups of channels of each sample.

    Input shape: any with channels last. Output shape: the same.
    Source: Wu and He, 2018; https://keras.io/api/layers/normalization_layers/group_normalization/
    """

    help = "Keeps the numbers of each group of channels at a steady size."

    groups = Integer(
        32, minimum=-1, initial=4, label="Groups", help="How many; -1 for one per channel."
    )
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True, help="The channels are last here.")
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
        super().__init__(*args, **kwargs)
        if self.groups == 0:
            raise ParameterError("a number of groups, or -1", "0", f"{self.label} groups")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        channels = known(input_shape[-1], self, "number of channels")
        if self.groups != -1 and channels % self.groups:
            raise ShapeError(
                f"channels divisible by groups={self.groups}", str(channels), self.label
            )
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """gamma and beta, each (channels,)."""
        return self.affine_specs((known(input_shape[-1], self, "number of channels"),))

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Each group of each sample by its own mean and variance."""
        self.compute_output_shape(x.shape)
        groups = x.shape[-1] if self.groups == -1 else self.groups
        grouped = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
        mean, variance = _moments(grouped, (1, 3), None)
        scale = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        n = (grouped - mean) * scale
        shape = (*(1,) * (x.ndim - 1), x.shape[-1])
        return self.affine(n.reshape(x.shape), shape), (n, scale, shape)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Mean and variance depend on each number too."""
        n, scale, shape = cache
        dn, gradients = self.affine_back(dy, n.reshape(dy.shape), shape, context)
        return normalized_back(dn.reshape(n.shape), n, scale, (1, 3)).reshape(dy.shape), gradients


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
