"""Activations as layers of their own."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

import numpy as np

from studio.engine.activations import Activation as Function
from studio.engine.activations import Elu, LeakyRelu, Relu, activations
from studio.engine.activations import Softmax as SoftmaxFunction
from studio.engine.activations.base import Sloped
from studio.engine.errors import StudioError
from studio.engine.layers.base import (
    Gradients,
    is_left_out,
    register,
)
from studio.engine.layers.planned import Planned
from studio.engine.params import Integer, Real
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.workspace import Array, Context, Shape


class FunctionLayer(Planned):
    """A layer that is an activation function and nothing else; ``function`` says which."""

    category = "Activation"

    @cached_property
    def function(self) -> Function:
        """The function."""
        raise NotImplementedError

    @property
    def output_activation(self) -> Function:
        """The function."""
        return self.function

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape, but for a function that changes it."""
        self.check_input(input_shape)
        try:
            return self.function.compute_output_shape(input_shape)
        except StudioError as error:
            raise error.at(self.label) from None

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """f(x), without touching x."""
        if is_left_out(self.function, context):
            return x, x
        shape = cast("tuple[int, ...]", self.function.compute_output_shape(x.shape))
        y, kept = context.workspace.array("y", shape, x.dtype), x
        if isinstance(self.function, Sloped):
            kept = context.workspace.array("slope", shape, x.dtype)
            do(np.copyto, kept, x)
        self.function.lay(kept, y, do)
        return y, y if self.function.saves == "output" else kept

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dy · f'(x)."""
        if is_left_out(self.function, context):
            return dy, {}
        dx = context.workspace.array("dx", cache.shape, dy.dtype)
        self.function.lay_back(dy, cache, dx, context.scratch, do)
        return dx, {}


@register()
class Activation(FunctionLayer):
    """y = activation(x).

    Input shape: any. Output shape: the same; for glu half as many values along its axis.
    Source: https://keras.io/api/layers/core_layers/activation/
    """

    help = "Applies an activation function."
    takes_any_activation = True

    activation = Named(activations, initial="relu", label="Activation", help="The function.")

    @cached_property
    def function(self) -> Function:
        """The chosen one."""
        return self.activation


@register()
class ReLU(FunctionLayer):
    """y = x above ``threshold``, else negative_slope · (x - threshold); at most ``max_value``.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/relu/
    """

    help = "Cuts negative numbers to zero."

    max_value = Real(None, minimum=0, optional=True, label="Largest", help="The largest output.")
    negative_slope = Real(0.0, minimum=0, label="Negative slope", help="The slope below.")
    threshold = Real(0.0, minimum=0, label="Threshold", help="Below it numbers are cut.")

    @cached_property
    def function(self) -> Function:
        """Relu with these bends."""
        return Relu(self.negative_slope, self.max_value, self.threshold)


@register()
class LeakyReLU(FunctionLayer):
    """y = x where x > 0, else negative_slope · x.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/leaky_relu/
    """

    help = "Like ReLU, but lets a fraction of negative numbers through."

    negative_slope = Real(0.3, minimum=0, label="Negative slope", help="The slope below zero.")

    @cached_property
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

    @cached_property
    def function(self) -> Function:
        """Elu of this alpha."""
        return Elu(self.alpha)


@register()
class Softmax(FunctionLayer):
    """y = exp(x) / Σ exp(x) along ``axis``.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/activation_layers/softmax/
    """

    help = "Turns the numbers of each sample into probabilities."

    axis = Integer(-1, advanced=True, help="Along which axis they add up to 1.")

    @cached_property
    def function(self) -> Function:
        """Softmax along the axis."""
        return SoftmaxFunction(self.axis)
