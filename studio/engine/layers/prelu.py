"""The rectifier whose slopes below zero are learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError, dimensions
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, WeightSpec, known, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.params import Integers
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_rows
from studio.engine.workspace import Array, Context, Shape


@register()
class PReLU(Planned):
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
                dimensions(len(input_shape) - 1),
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

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """max(x, 0) + alpha · min(x, 0)."""
        space = context.workspace
        rows = without_gaps(x, "x", space, do).reshape(len(x), -1)
        below, above, y = (space.array(n, rows.shape, x.dtype) for n in ("below", "above", "y"))
        slopes = self._slopes(x.shape[1:], context, do)
        do(np.minimum, rows, 0, out=below)
        do(np.maximum, rows, 0, out=above)
        do(np.multiply, below, slopes, out=y)
        do(np.add, y, above, out=y)
        return y.reshape(x.shape), (below, above, slopes)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dx = dy or alpha · dy, dalpha = Σ dy · min(x, 0); 0 at a bend, as in Keras."""
        below, above, slopes = cache
        space = context.workspace
        rows = without_gaps(dy, "dy", space, do).reshape(below.shape)
        dx = space.array("dx", below.shape, dy.dtype)
        do(np.multiply, rows, below, out=dx)
        gradient = self._slopes_back(dx, dy.shape[1:], context, do)
        # The signs are 1 above and -1 below zero.
        do(np.sign, below, out=below)
        do(np.multiply, below, slopes, out=below)
        do(np.sign, above, out=above)
        do(np.subtract, above, below, out=above)
        do(np.multiply, rows, above, out=dx)
        return dx.reshape(dy.shape), {"alpha": gradient}

    def _slopes(self, shape: tuple[int, ...], context: Context, do: Do) -> Array:
        """alpha of each number of a sample, in one row."""
        alpha = self["alpha"]
        if alpha.shape == shape:
            return alpha.reshape(-1)
        slopes = context.workspace.array("slopes", shape, alpha.dtype)
        do(np.copyto, slopes, alpha)
        return slopes.reshape(-1)

    def _slopes_back(self, each: Array, shape: tuple[int, ...], context: Context, do: Do) -> Array:
        """The gradient of alpha from those that each number of each sample gives it."""
        alpha = self["alpha"]
        gradient = context.gradient("alpha", alpha)
        if alpha.shape == shape:
            add_rows(each, gradient.reshape(-1), do)
            return gradient
        sums = context.workspace.array("sums", shape, alpha.dtype)
        add_rows(each, sums.reshape(-1), do)
        shared = tuple(axis for axis, size in enumerate(alpha.shape) if size == 1)
        do(np.add.reduce, sums, axis=shared, keepdims=True, out=gradient)
        return gradient
