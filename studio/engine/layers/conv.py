"""Convolutions over one, two or three dimensions."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, cast

import numpy as np

from studio.engine.activations import Activation, Linear, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers import windows as win
from studio.engine.layers.base import (
    Gradients,
    Layer,
    WeightSpec,
    add_rows,
    known,
    register,
)
from studio.engine.layers.columns import FEW_CHANNELS, batches, columns, pieces, thin_product
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape

TURNED = 1.3
"""So many times as many positions as a convolution had, its turned one may have to be cheaper."""


class Conv(Layer):
    """What the convolutions share: each output is a window of the input times the kernel.

    The windows are laid out as rows (see ``columns``), so that matrix products do the work.
    """

    rank: ClassVar[int]
    category = "Convolution"
    supports_masking = False

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        win.check_steps(self, self.strides, self.dilation_rate)

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …spatial, channels) → (batch, …positions, filters)."""
        self.check_input(input_shape)
        channels = input_shape[-1]
        if channels is not None and channels % self.groups:
            wanted = f"channels divisible by groups={self.groups}"
            raise ShapeError(wanted, str(channels), self.label)
        if self.filters % self.groups:
            wanted = f"filters divisible by groups={self.groups}"
            raise ShapeError(wanted, str(self.filters), self.label)
        lengths = self._lengths(input_shape)
        win.check_windows(self, input_shape, lengths)
        return (input_shape[0], *lengths, self.filters)

    def _lengths(self, input_shape: Shape) -> Shape:
        return win.output_lengths(
            input_shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )

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
        """z = windows · kernel + bias, piece by piece; y = activation(z)."""
        shape = (len(x), *cast("win.Sizes", self._lengths(x.shape)), self.filters)
        amounts = win.pads(
            x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        padded = win.pad(x, amounts, 0, context.workspace, "padded")
        saved = context.workspace.array("saved", shape, x.dtype)
        in_place = self.activation.saves == "output" or context.linear_output
        y = saved if in_place else context.workspace.array("y", shape, x.dtype)
        windows = self._windows(padded, context)
        kernels = self._parts(self["kernel"].reshape(-1, self.filters))
        bias = None
        if self.use_bias:
            # For a whole line of positions: longer runs of memory to add.
            bias = context.scratch.array("bias", shape[-2:], x.dtype)
            np.copyto(bias, self["bias"])
        for piece in pieces(windows, self.rank):
            z = saved[piece]
            for group, (part, kernel, out) in enumerate(
                zip(self._parts(windows[piece]), kernels, self._parts(z), strict=True)
            ):
                rows = columns(part, self.rank, context.scratch, f"columns{group}")
                self._product(rows, kernel, out)
            if bias is not None:
                lines = z.reshape(-1, *bias.shape)
                lines += bias
            if in_place and not context.linear_output:
                self.activation.forward(z, out=z)
            elif not in_place:
                self.activation.forward(z, out=y[piece])
        return y, (x.shape, padded, amounts, saved)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """dz = dy · activation', dkernel = windowsᵀ · dz, dbias = Σ dz; dx as told below."""
        shape, padded, amounts, saved = cache
        space = context.scratch
        dkernel = context.gradient("kernel", self["kernel"])
        dkernels = self._parts(dkernel.reshape(-1, self.filters))
        dkernel.fill(0)
        gradients = {"kernel": dkernel}
        if self.use_bias:
            gradients["bias"] = context.gradient("bias", self["bias"])
            gradients["bias"].fill(0)
        windows = self._windows(padded, context)
        # For dx all of dz is needed, else one piece at a time, which stays in the cache.
        linear = context.linear_output or isinstance(self.activation, Linear)
        dz = None
        if linear:
            dz = np.ascontiguousarray(dy)
        elif context.needs_input_gradient:
            dz = space.array("dz", dy.shape, dy.dtype)
        for piece in pieces(windows, self.rank):
            arriving = dy[piece]
            part = space.array("dz", arriving.shape, dy.dtype) if dz is None else dz[piece]
            if not linear:
                self._dz(arriving, saved[piece], part)
            for group, (part_x, part_dz, into) in enumerate(
                zip(self._parts(windows[piece]), self._parts(part), dkernels, strict=True)
            ):
                rows = columns(part_x, self.rank, space, f"columns{group}")
                product = space.array("dkernel", into.shape, into.dtype)
                into += np.matmul(rows.T, part_dz.reshape(len(rows), -1), out=product)
            if self.use_bias:
                sums = space.array("dbias", (self.filters,), dy.dtype)
                gradients["bias"] += add_rows(part.reshape(-1, self.filters), sums)
        if dz is None or not context.needs_input_gradient:
            return None, gradients
        # A kernel turned around also works on the zeros that it needs around dz.
        worth = prod(shape[1:-1]) < TURNED * prod(dz.shape[1:-1])
        if worth and all(stride == 1 for stride in self.strides):
            return self._turned(dz, shape, amounts, context), gradients
        return self._scattered(dz, padded.shape, shape, amounts, context), gradients

    def _dz(self, dy: Array, saved: Array, out: Array) -> None:
        dz = self.activation.backward(dy, saved, out=out)
        if dz is not out:
            np.copyto(out, dz)

    def _turned(self, dz: Array, shape: win.Sizes, amounts: win.Pads, context: Context) -> Array:
        """dx as a convolution of dz with the kernel turned around; for strides of 1."""
        space, rank = context.scratch, self.rank
        around = tuple(
            ((size - 1) * step - before, (size - 1) * step - after)
            for size, step, (before, after) in zip(
                self.kernel_size, self.dilation_rate, amounts, strict=True
            )
        )
        padded = win.pad(dz, around, 0, space, "around")
        windows = win.windows(padded, self.kernel_size, (1,) * rank, self.dilation_rate)
        kernel = np.flip(self["kernel"], axis=tuple(range(rank))).swapaxes(-1, -2)
        # Each group's filters lead back to its own channels.
        kernels = [
            np.ascontiguousarray(part).reshape(-1, part.shape[-1])
            for part in (np.split(kernel, self.groups, axis=-2) if self.groups > 1 else [kernel])
        ]
        dx = context.workspace.array("dx", shape, dz.dtype)
        for piece in pieces(windows, rank):
            for group, (part, turned, out) in enumerate(
                zip(self._parts(windows[piece]), kernels, self._parts(dx[piece]), strict=True)
            ):
                self._product(columns(part, rank, space, f"columns{group}"), turned, out)
        return dx

    def _scattered(
        self,
        dz: Array,
        padded_shape: win.Sizes,
        shape: win.Sizes,
        amounts: win.Pads,
        context: Context,
    ) -> Array:
        """dx: each number of the kernel leads dz back to the inputs that it was multiplied with."""
        dpadded = context.workspace.zeros("dpadded", padded_shape, dz.dtype)
        kernel = np.ascontiguousarray(self["kernel"].swapaxes(-1, -2))
        kernels = [kernel] if self.groups == 1 else np.split(kernel, self.groups, axis=-2)
        positions = win.positions(
            self.kernel_size, self.strides, self.dilation_rate, dz.shape[1:-1]
        )
        for samples in batches(dz, kernel.shape[-1]):
            for part, turned, into in zip(
                self._parts(dz[samples]), kernels, self._parts(dpadded[samples]), strict=True
            ):
                rows = part.reshape(-1, part.shape[-1])
                product = context.scratch.array("product", (len(rows), turned.shape[-1]), dz.dtype)
                for offset, where in positions:
                    np.matmul(rows, turned[offset], out=product)
                    into[where] += product.reshape(*part.shape[:-1], -1)
        return dpadded[win.inner(shape[1:-1], amounts)]

    def _windows(self, padded: Array, context: Context) -> Array:
        """All windows as a view; of a copy with the channels first where they are few."""
        if 1 < padded.shape[-1] <= FEW_CHANNELS:
            first = context.scratch.array(
                "planes", (padded.shape[-1], *padded.shape[:-1]), padded.dtype
            )
            np.copyto(first, np.moveaxis(padded, -1, 0))
            padded = np.moveaxis(first, 0, -1)
        return win.windows(padded, self.kernel_size, self.strides, self.dilation_rate)

    def _parts(self, array: Array) -> list[Array]:
        """The groups' parts of an array's last axis."""
        return [array] if self.groups == 1 else np.split(array, self.groups, axis=-1)

    def _product(self, rows: Array, kernel: Array, out: Array) -> None:
        if self.groups == 1:
            thin_product(rows, kernel, out.reshape(-1, kernel.shape[1]))
        else:
            out[...] = np.matmul(rows, kernel).reshape(out.shape)


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
