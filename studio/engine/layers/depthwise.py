"""Convolutions that treat each channel by itself."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers import windows as win
from studio.engine.layers.base import (
    Gradients,
    Layer,
    WeightSpec,
    activate,
    add_rows,
    deactivate,
    known,
    register,
)
from studio.engine.layers.channels import channels_of
from studio.engine.layers.tiles import product
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


class Depthwise(Layer):
    """What both share: every channel has patterns of its own."""

    category = "Convolution"
    supports_masking = False
    input_ranks = (4,)

    kernel_size: Any
    strides: Any
    padding: Any
    depth_multiplier: Any
    dilation_rate: Any
    activation: Any
    use_bias: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        win.check_steps(self, self.strides, self.dilation_rate)

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    def lengths(self, input_shape: Shape) -> Shape:
        """How many positions there are along height and width.

        Raises:
            ShapeError: if the input is smaller than the kernel.
        """
        self.check_input(input_shape)
        found = win.output_lengths(
            input_shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        win.check_windows(self, input_shape, found)
        return found

    def spread(self, x: Array, kernel: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, height, width, c) → (batch, rows, columns, c · depth_multiplier)."""
        rows, columns = cast("tuple[int, int]", self.lengths(x.shape))
        amounts = win.pads(
            x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        padded = np.ascontiguousarray(win.pad(x, amounts, 0, context.workspace, "padded"))
        if self.depth_multiplier > 1:
            # Each channel once for each of its patterns.
            padded = np.repeat(padded, self.depth_multiplier, axis=-1)
        down, across = self.strides
        size = (rows, (columns - 1) * across + 1)
        y = self._convolve(padded, kernel, size, down, "spread", context)
        return np.ascontiguousarray(y[:, :, ::across]), (x.shape, padded, amounts)

    def gather(
        self, dy: Array, cache: Any, kernel: Array, dkernel: Array, context: Context
    ) -> Array | None:
        """The gradient of the input of :meth:`spread`; that of the kernel goes into ``dkernel``."""
        shape, padded, amounts = cache
        # As if all strides were 1: zeros between the gradients, and as many around as windows need.
        (down, across), (above, left) = self.strides, self._reach
        sizes = (padded.shape[1] + above, padded.shape[2] + left)
        around = context.scratch.zeros("around", (len(dy), *sizes, dy.shape[3]), dy.dtype)
        rows, columns = (dy.shape[1] - 1) * down + 1, (dy.shape[2] - 1) * across + 1
        lines = around[:, above : above + rows : down, left : left + columns]
        lines[:, :, ::across] = dy
        met, arriving = self._met(padded, dy.shape[1], columns, down), _merged(lines)
        for u, v in np.ndindex(self.kernel_size):
            sums = np.einsum("brx,brx->x", met[:, :, u, v], arriving)
            np.add.reduce(sums.reshape(-1, *dkernel.shape[2:]), axis=0, out=dkernel[u, v])
        if not context.needs_input_gradient:
            return None
        (before, _), (beside, _) = amounts
        turned = np.flip(kernel, (0, 1))
        dx = self._convolve(around[:, before:, beside:], turned, shape[1:-1], 1, "dx", context)
        return dx if self.depth_multiplier == 1 else dx.reshape(*shape, -1).sum(axis=-1)

    @property
    def _reach(self) -> tuple[int, int]:
        """How far it is from the first to the last row of a window, and column."""
        rows, columns = (
            (size - 1) * step
            for size, step in zip(self.kernel_size, self.dilation_rate, strict=True)
        )
        return rows, columns

    def _convolve(
        self, x: Array, kernel: Array, size: Shape, down: int, name: str, context: Context
    ) -> Array:
        """At each position the sum of the input in the window times the kernel.

        Windows are ``down`` rows and one column apart. All offsets of a line of outputs are added
        up while it is in the cache.
        """
        rows, columns = cast("tuple[int, int]", size)
        y = context.workspace.array(name, (len(x), rows, columns, x.shape[-1]), x.dtype)
        factors = np.tile(kernel.reshape(*self.kernel_size, -1), columns)
        np.einsum("bruvx,uvx->brx", self._met(x, rows, columns, down), factors, out=_merged(y))
        return y

    def _met(self, x: Array, rows: int, columns: int, down: int) -> Array:
        """What each line of outputs meets at each offset, (batch, rows, …offset, columns · c).

        The next column is in memory right after the one before, so a line is one run of it.
        """
        batch, height, width, _ = x.strides
        steps = (height * self.dilation_rate[0], width * self.dilation_rate[1])
        return as_strided(
            x,
            (len(x), rows, *self.kernel_size, columns * x.shape[-1]),
            (batch, height * down, *steps, x.itemsize),
            writeable=False,
        )


def _merged(lines: Array) -> Array:
    """(batch, rows, columns, channels) as (batch, rows, columns · channels), never a copy."""
    size = lines.shape[2] * lines.shape[3]
    return as_strided(lines, (*lines.shape[:2], size), (*lines.strides[:2], lines.itemsize))


@register()
class DepthwiseConv2D(Depthwise):
    """Each channel is convolved with ``depth_multiplier`` patterns of its own.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels · depth_multiplier)``.
    Source: https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
    """

    help = "Looks for patterns in each channel by itself; few weights."

    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the image.")  # fmt: skip
    depth_multiplier = Integer(1, minimum=1, label="Depth multiplier",
                               help="How many patterns each channel has.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    activation = Named(activations, "linear", initial="relu", label="Activation",
                       help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added per channel.")
    depthwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    depthwise_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    depthwise_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, c) → (batch, rows, columns, c · depth_multiplier)."""
        lengths, channels = self.lengths(input_shape), input_shape[-1]
        return (
            input_shape[0],
            *lengths,
            None if channels is None else channels * self.depth_multiplier,
        )

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel of (…kernel_size, channels, depth_multiplier) and a bias per output channel."""
        channels = known(input_shape[-1], self, "number of channels")
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        kernel = WeightSpec("kernel", shape, self.depthwise_initializer,
                            self.depthwise_regularizer, self.depthwise_constraint)  # fmt: skip
        bias = WeightSpec("bias", (channels * self.depth_multiplier,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, bias) if self.use_bias else (kernel,)

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Per offset in the window: the input there times the kernel there, added up."""
        z, cache = self.spread(x, self["kernel"], context)
        if self.use_bias:
            channels_of(z.shape).shift(z, self["bias"])
        y, saved = activate(self.activation, z, context)
        return y, (cache, saved)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The same sums the other way round."""
        inner, saved = cache
        dz = deactivate(self.activation, dy, saved, context)
        dkernel = context.gradient("kernel", self["kernel"])
        dx = self.gather(dz, inner, self["kernel"], dkernel, context)
        gradients = {"kernel": dkernel}
        if self.use_bias:
            rows = np.ascontiguousarray(dz).reshape(-1, dz.shape[-1])
            gradients["bias"] = add_rows(rows, context.gradient("bias", self["bias"]))
        return dx, gradients


@register()
class SeparableConv2D(Depthwise):
    """A depthwise convolution, then one of 1 × 1 that mixes the channels.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    filters)``. Source: https://keras.io/api/layers/convolution_layers/separable_convolution2d/
    """

    help = "Looks for patterns in each channel, then mixes the channels; fewer weights."

    filters = Integer(minimum=1, initial=16, label="Filters", help="How many outputs it has.")
    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the image.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    depth_multiplier = Integer(1, minimum=1, label="Depth multiplier",
                               help="How many patterns each channel has.")  # fmt: skip
    activation = Named(activations, "linear", initial="relu", label="Activation",
                       help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added per filter.")
    depthwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    pointwise_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    depthwise_regularizer = Named(regularizers, None, optional=True, advanced=True)
    pointwise_regularizer = Named(regularizers, None, optional=True, advanced=True)
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    depthwise_constraint = Named(constraints, None, optional=True, advanced=True)
    pointwise_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, channels) → (batch, rows, columns, filters)."""
        return (input_shape[0], *self.lengths(input_shape), self.filters)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Depthwise (…kernel_size, c, d), pointwise (1, 1, c · d, filters), bias (filters,)."""
        channels = known(input_shape[-1], self, "number of channels")
        depth = self.depth_multiplier
        deep = WeightSpec("depthwise_kernel", (*self.kernel_size, channels, depth),
                          self.depthwise_initializer, self.depthwise_regularizer,
                          self.depthwise_constraint)  # fmt: skip
        point = WeightSpec("pointwise_kernel", (1, 1, channels * depth, self.filters),
                           self.pointwise_initializer, self.pointwise_regularizer,
                           self.pointwise_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.filters,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (deep, point, bias) if self.use_bias else (deep, point)

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, height, width, channels) → (batch, rows, columns, filters)."""
        spread, cache = self.spread(x, self["depthwise_kernel"], context)
        point = self["pointwise_kernel"][0, 0]
        z = context.workspace.array("z", (*spread.shape[:-1], self.filters), x.dtype)
        product(spread.reshape(-1, len(point)), point, z.reshape(-1, self.filters))
        if self.use_bias:
            channels_of(z.shape).shift(z, self["bias"])
        y, saved = activate(self.activation, z, context)
        return y, (spread, cache, saved)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The gradients of the 1 × 1 convolution, then of the depthwise one."""
        spread, inner, saved = cache
        dz = np.ascontiguousarray(deactivate(self.activation, dy, saved, context))
        flat, rows = dz.reshape(-1, self.filters), spread.reshape(-1, spread.shape[-1])
        point = self["pointwise_kernel"]
        dpoint = context.gradient("pointwise_kernel", point)
        product(rows.T, flat, dpoint[0, 0])
        deep = self["depthwise_kernel"]
        ddeep = context.gradient("depthwise_kernel", deep)
        between = context.scratch.array("between", spread.shape, dz.dtype)
        product(flat, point[0, 0].T, between.reshape(rows.shape))
        dx = self.gather(between, inner, deep, ddeep, context)
        gradients = {"depthwise_kernel": ddeep, "pointwise_kernel": dpoint}
        if self.use_bias:
            gradients["bias"] = add_rows(flat, context.gradient("bias", self["bias"]))
        return dx, gradients
