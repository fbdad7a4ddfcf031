"""Activations as layers of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Activation as Function
from studio.engine.activations import Elu, LeakyRelu, activations
from studio.engine.activations import Softmax as SoftmaxFunction
from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.params import Integer, Integers, Real
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


class FunctionLayer(Layer):
    """A layer that is an activation function and nothing else."""

    category = "Activation"

    def function(self) -> Function:
        """The function."""
        raise NotImplementedError

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """f(x), without touching x."""
        if context.linear_output:
            return x, None
        act = self.function()
        if act.saves == "input":
            return act.forward(x), x
        y = act.forward(x, out=context.workspace.array("y", x.shape, x.dtype))
        return y, y

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """dy · f'(x)."""
        return (dy if context.linear_output else self.function().backward(dy, cache)), {}


@register()
class Activation(FunctionLayer):
    """y = activation(x).

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/core_layers/activation/
    """

    help = "Applies an activation function."

    activation = Named(activations, initial="relu", label="Activation", help="The function.")

    @property
    def output_activation(self) -> Function:
        """The activation that its output ends with."""
        return self.activation

    def function(self) -> Function:
        """The chosen one."""
        return self.activation


@register()
class ReLU(Layer):
    """y = x above ``threshold``, else negative_slope · (x - threshold); at most ``max_value``.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/relu/
    """

    category = "Activation"
    help = "Cuts negative numbers to zero."

    max_value = Real(None, minimum=0, optional=True, label="Largest", help="The largest output.")
    negative_slope = Real(0.0, minimum=0, label="Negative slope", help="The slope below.")
    threshold = Real(0.0, minimum=0, label="Threshold", help="Below it numbers are cut.")

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The function, and its slope for the way back."""
        above = x > self.threshold if self.threshold else x > 0
        slope = np.where(above, 1, self.negative_slope).astype(x.dtype)
        y = np.where(
            above, x, (x - x.dtype.type(self.threshold)) * x.dtype.type(self.negative_slope)
        )
        if self.max_value is not None:  # pyright: ignore[reportUnnecessaryComparison]
            slope *= y < self.max_value
            np.minimum(y, x.dtype.type(self.max_value), out=y)
        return y, slope

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """dy times the slope."""
        return dy * cache, {}


@register()
class LeakyReLU(FunctionLayer):
    """y = x where x > 0, else negative_slope · x.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/leaky_relu/
    """

    help = "Like ReLU, but lets a fraction of negative numbers through."

    negative_slope = Real(0.3, minimum=0, label="Negative slope", help="The slope below zero.")

    def function(self) -> Function:
        """LeakyRelu of this slope."""
        return LeakyRelu(self.negative_slope)


@register()
class ELU(FunctionLayer):
    """y = x where x > 0, else alpha · (exp(x) - 1).

    Input shape: any. Output shape: the same.
    Source: Clevert et al., 2015; https://keras.io/api/layers/activation_layers/elu/
    """

    help = "Like ReLU, with a smooth bend below zero."

    alpha = Real(1.0, minimum=0, label="Alpha", help="What it tends to far below zero, negated.")

    def function(self) -> Function:
        """Elu of this alpha."""
        return Elu(self.alpha)


@register()
class PReLU(Layer):
    """y = x where x > 0, else alpha · x, alpha learned.

    Input shape: any. Output shape: the same.
    Source: He et al., 2015; https://keras.io/api/layers/activation_layers/prelu/
    """

    category = "Activation"
    help = "Like LeakyReLU, with slopes that are learned."

    alpha_initializer = Named(initializers, "zeros", advanced=True)
    alpha_regularizer = Named(regularizers, None, optional=True, help="Keeps slopes small.")
    alpha_constraint = Named(constraints, None, optional=True, advanced=True)
    shared_axes = Integers(None, optional=True, advanced=True,
                           help="Axes, from 1, whose numbers share a slope.")  # fmt: skip

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """alpha, of a sample's shape with 1 along shared axes."""
        shared = set(self.shared_axes or ())
        if any(axis >= len(input_shape) for axis in shared):
            raise ShapeError(
                f"an input that has the axes {self.shared_axes}",
                f"{len(input_shape) - 1} dimensions per sample",
                self.label,
            )
        shape = tuple(
            1 if axis in shared else known(size, self, "input shape")
            for axis, size in enumerate(input_shape[1:], 1)
        )
        return (
            WeightSpec(
                "alpha",
                shape,
                self.alpha_initializer,
                self.alpha_regularizer,
                self.alpha_constraint,
            ),
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        self.weight_specs(input_shape)
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """max(x, 0) + alpha · min(x, 0)."""
        below = np.minimum(x, 0)
        return np.maximum(x, 0) + self["alpha"] * below, (x, below)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """dx = dy or alpha · dy, dalpha = Σ dy · min(x, 0)."""
        x, below = cache
        alpha = self["alpha"]
        out = context.gradient("alpha", alpha)
        axes = tuple(axis for axis, size in enumerate(alpha.shape) if size == 1 < x.shape[axis + 1])
        out[...] = (dy * below).sum(axis=0).sum(axis=axes, keepdims=True)
        return np.where(x > 0, dy, dy * alpha), {"alpha": out}


@register()
class Softmax(Layer):
    """y = exp(x) / Σ exp(x) along ``axis``.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/softmax/
    """

    category = "Activation"
    help = "Turns the numbers of each sample into probabilities."

    axis = Integer(-1, advanced=True, help="Along which axis they add up to 1.")

    @property
    def output_activation(self) -> Function | None:
        """Softmax, where it is along the last axis."""
        return SoftmaxFunction() if self.axis == -1 else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        rank = len(input_shape)
        if not 1 <= (self.axis + rank if self.axis < 0 else self.axis) < rank:
            raise ShapeError(
                f"an input that has an axis {self.axis}",
                f"{rank - 1} dimensions per sample",
                self.label,
            )
        return input_shape

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Softmax along the axis."""
        if context.linear_output:
            return x, None
        y = np.moveaxis(SoftmaxFunction().forward(np.moveaxis(x, self.axis, -1)), -1, self.axis)
        return y, y

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """(dy - Σ dy · y) · y."""
        if context.linear_output:
            return dy, {}
        return (dy - (dy * cache).sum(axis=self.axis, keepdims=True)) * cache, {}
