"""Convolutions over one, two or three dimensions."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, cast

import numpy as np

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers import windows as win
from studio.engine.layers.base import (
    Gradients,
    Layer,
    WeightSpec,
    activate,
    deactivate,
    known,
    register,
)
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


class Conv(Layer):
    """What the convolutions share: each output is a window of the input times the kernel.

    The windows are laid out as rows (im2col), so that one matrix product does the whole work.
    """

    rank: ClassVar[int]
    category = "Convolution"

    activation = Named(activations, "linear", initial="relu",
                       label="Activation", help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added to each filter.")
    kernel_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    kernel_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    kernel_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    filters: Any
    kernel_size: Any
    strides: Any
    padding: Any
    dilation_rate: Any
    groups: Any

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …spatial, channels) → (batch, …positions, filters)."""
        self.check_input(input_shape)
        channels = input_shape[-1]
        if channels is not None and channels % self.groups:
            raise ShapeError(f"channels divisible by groups={self.groups}", str(channels), self.label)  # fmt: skip
        if self.filters % self.groups:
            raise ShapeError(f"filters divisible by groups={self.groups}", str(self.filters), self.label)  # fmt: skip
        lengths = tuple(
            win.output_length(length, size, stride, self.padding, dilation)
            for length, size, stride, dilation in zip(
                input_shape[1:-1], self.kernel_size, self.strides, self.dilation_rate, strict=True
            )
        )
        win.check_windows(self, input_shape, lengths)
        return (input_shape[0], *lengths, self.filters)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel of (…kernel_size, channels / groups, filters) and a bias of (filters,)."""
        channels = known(input_shape[-1], self, "number of channels") // self.groups
        kernel = WeightSpec("kernel", (*self.kernel_size, channels, self.filters),
                            self.kernel_initializer, self.kernel_regularizer,
                            self.kernel_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.filters,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, bias) if self.use_bias else (kernel,)

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, filters)."""
        shape = cast("tuple[int, ...]", self.compute_output_shape(x.shape))
        amounts = win.pads(x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate)  # fmt: skip
        padded = win.pad(x, amounts, 0, context, "padded")
        z = context.workspace.array("z", shape, x.dtype)
        flat_z = z.reshape(-1, self.filters)
        columns = [
            self._columns(part, shape[1:-1], context, f"columns{group}")
            for group, part in enumerate(self._parts(padded))
        ]
        for part, kernel, out in zip(columns, self._kernels(), self._parts(flat_z), strict=True):
            np.matmul(part, kernel, out=out)
        if self.use_bias:
            z += self["bias"]
        y, saved = activate(self.activation, z, context)
        return y, (x.shape, padded.shape, amounts, columns, saved)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """dkernel = columnsᵀ · dz, dbias = Σ dz; dx adds dz · kernelᵀ back to each window."""
        shape, padded_shape, amounts, columns, saved = cache
        dz = deactivate(self.activation, dy, saved, context)
        flat_dz = dz.reshape(-1, self.filters)
        dkernel = context.gradient("kernel", self["kernel"])
        flat_dkernel = dkernel.reshape(-1, self.filters)
        for part, dpart, out in zip(columns, self._parts(flat_dz), self._parts(flat_dkernel), strict=True):  # fmt: skip
            np.matmul(part.T, dpart, out=out)
        gradients = {"kernel": dkernel}
        if self.use_bias:
            gradients["bias"] = np.add.reduce(
                flat_dz, axis=0, out=context.gradient("bias", self["bias"])
            )
        if not context.needs_input_gradient:
            return None, gradients
        dpadded = context.workspace.zeros("dpadded", padded_shape, dz.dtype)
        for kernel, dpart, into in zip(self._kernels(), self._parts(flat_dz), self._parts(dpadded), strict=True):  # fmt: skip
            self._scatter(np.matmul(dpart, kernel.T), dy.shape[1:-1], into)
        return dpadded[win.inner(shape[1:-1], amounts)], gradients

    def _parts(self, array: Array) -> list[Array]:
        """The groups' parts of an array's last axis."""
        return [array] if self.groups == 1 else np.split(array, self.groups, axis=-1)

    def _kernels(self) -> list[Array]:
        return self._parts(self["kernel"].reshape(-1, self.filters))

    def _columns(self, x: Array, counts: win.Sizes, context: Context, name: str) -> Array:
        """The windows of ``x`` as rows: (batch · positions, window · channels)."""
        channels = x.shape[-1]
        shape = (len(x), *counts, *self.kernel_size, channels)
        columns = context.workspace.array(name, shape, x.dtype)
        if channels < 4:
            for offset, where in win.positions(self.kernel_size, self.strides, self.dilation_rate, counts):  # fmt: skip
                columns[(..., *offset, slice(None))] = x[where]
        else:
            np.copyto(columns, win.windows(x, self.kernel_size, self.strides, self.dilation_rate))
        return columns.reshape(-1, prod(self.kernel_size) * channels)

    def _scatter(self, dcolumns: Array, counts: win.Sizes, into: Array) -> None:
        """Add the gradient of each window to the place that the window was taken from."""
        channels = into.shape[-1]
        dcolumns = dcolumns.reshape(len(into), *counts, *self.kernel_size, channels)
        for offset, where in win.positions(self.kernel_size, self.strides, self.dilation_rate, counts):  # fmt: skip
            into[where] += dcolumns[(..., *offset, slice(None))]


@register()
class Conv2D(Conv):
    """Convolution over height and width.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    filters)``. Source: https://keras.io/api/layers/convolution_layers/convolution2d/
    """

    rank = 2
    input_ranks = (4,)
    help = "Looks for small patterns all over an image."

    filters = Integer(minimum=1, initial=16, label="Filters", help="How many patterns it learns.")
    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="Steps between two positions.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' keeps the size by zeros around the image.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    groups = Integer(1, minimum=1, label="Groups", advanced=True,
                     help="Into how many separate groups the channels are cut.")  # fmt: skip
