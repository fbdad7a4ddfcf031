"""The convolution turned around: it enlarges an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError
from studio.engine.initializers import initializers
from studio.engine.layers import windows as win
from studio.engine.layers.base import Gradients, WeightSpec, activate, deactivate, known, register
from studio.engine.layers.columns import (
    batches,
    columns,
    matrix,
    pieces,
    scatter,
    windows_of,
    without_gaps,
)
from studio.engine.layers.planned import Planned
from studio.engine.layers.tiles import product
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_rows
from studio.engine.workspace import Array, Context, Shape


@register()
class Conv2DTranspose(Planned):
    """Each input puts the kernel, times its value, into the output; overlaps add up.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    filters)``; with padding "same" rows = height · stride.
    Source: https://keras.io/api/layers/convolution_layers/convolution2d_transpose/
    """

    category = "Convolution"
    supports_masking = False
    input_ranks = (4,)
    help = "Enlarges an image by learned patterns."

    filters = Integer(minimum=1, initial=16, label="Filters", help="How many outputs it has.")
    kernel_size = Integers(length=2, initial=(3, 3), label="Kernel size",
                           help="Height and width of a pattern.")  # fmt: skip
    strides = Integers((1, 1), length=2, label="Strides", help="By how much the image grows.")
    padding = Choice("valid", options=("valid", "same"), label="Padding",
                     help="'same' makes the size that of the input times the strides.")  # fmt: skip
    output_padding = Integers(None, length=2, minimum=0, optional=True, advanced=True,
                              help="Rows and columns to add, where several sizes fit.")  # fmt: skip
    dilation_rate = Integers((1, 1), length=2, label="Dilation", advanced=True,
                             help="Distance between two points of the pattern.")  # fmt: skip
    activation = Named(activations, "linear", initial="relu", label="Activation",
                       help="Applied to the output.")  # fmt: skip
    use_bias = Boolean(True, label="Bias", help="Whether a learned number is added to each filter.")
    kernel_initializer = Named(initializers, "glorot_uniform", advanced=True)
    bias_initializer = Named(initializers, "zeros", advanced=True)
    kernel_regularizer = Named(regularizers, None, optional=True, help="Keeps weights small.")
    bias_regularizer = Named(regularizers, None, optional=True, advanced=True)
    activity_regularizer = Named(regularizers, None, optional=True, advanced=True)
    kernel_constraint = Named(constraints, None, optional=True, advanced=True)
    bias_constraint = Named(constraints, None, optional=True, advanced=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        win.check_steps(self, self.strides, self.dilation_rate)
        if self.output_padding is not None and any(  # pyright: ignore[reportUnnecessaryComparison]
            more >= stride for more, stride in zip(self.output_padding, self.strides, strict=True)
        ):
            raise ParameterError(
                f"numbers below the strides {self.strides}",
                f"{self.output_padding}",
                f"{self.label} output_padding",
            )

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    def _along(self, axis: int, length: int) -> tuple[int, int]:
        """Along an axis: the output's length, and how much is cut off before it."""
        stride = self.strides[axis]
        span = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        extra = None if self.output_padding is None else self.output_padding[axis]  # pyright: ignore[reportUnnecessaryComparison]
        if self.padding == "valid":
            more = max(span - stride, 0) if extra is None else span - stride + extra
            return length * stride + more, 0
        covered = (length - 1) * stride + span
        if extra is None:
            return length * stride, max(span - stride, 0) // 2
        out = covered - 2 * (span // 2) + extra
        return out, max(covered - out, 0) // 2

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, channels) → (batch, rows, columns, filters)."""
        self.check_input(input_shape)
        lengths = [
            None if length is None else self._along(axis, length)[0]
            for axis, length in enumerate(input_shape[1:-1])
        ]
        win.check_windows(self, input_shape, tuple(lengths))
        return (input_shape[0], *lengths, self.filters)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """A kernel of (…kernel_size, filters, channels) and a bias of (filters,)."""
        channels = known(input_shape[-1], self, "number of channels")
        kernel = WeightSpec("kernel", (*self.kernel_size, self.filters, channels),
                            self.kernel_initializer, self.kernel_regularizer,
                            self.kernel_constraint)  # fmt: skip
        bias = WeightSpec("bias", (self.filters,), self.bias_initializer,
                          self.bias_regularizer, self.bias_constraint)  # fmt: skip
        return (kernel, bias) if self.use_bias else (kernel,)

    def _frame(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[slice, ...]]:
        """The size that all kernels cover, or the output if larger, and the output in it."""
        sizes: list[int] = []
        inside: list[slice] = [slice(None)]
        for axis, length in enumerate(shape[1:-1]):
            out, cut = self._along(axis, length)
            span = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
            sizes.append(max((length - 1) * self.strides[axis] + span, cut + out))
            inside.append(slice(cut, cut + out))
        return tuple(sizes), tuple(inside)

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Products of all inputs with the kernel, added where they fall."""
        space = context.workspace
        sizes, inside = self._frame(x.shape)
        frame = space.array("frame", (len(x), *sizes, self.filters), x.dtype)
        do(frame.fill, 0)
        swapped = self["kernel"].swapaxes(-1, -2)
        kernel = context.scratch.array("swapped", swapped.shape, x.dtype)
        do(np.copyto, kernel, swapped)
        positions = win.positions(self.kernel_size, self.strides, self.dilation_rate, x.shape[1:-1])
        for samples in batches(x, self.filters):
            scatter(x[samples], kernel, positions, frame[samples], context.scratch, do)
        z = without_gaps(frame[inside], "z", space, do)
        if self.use_bias:
            do(np.add, z, self["bias"], out=z)
        y, kept = activate(self.activation, z, context, do)
        return y, (x, sizes, inside, kept)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """A convolution of the output's gradient with the kernel."""
        x, sizes, inside, kept = cache
        space, channels = context.scratch, x.shape[-1]
        gradients = self.gradients(context)
        dz = deactivate(self.activation, dy, kept, context, do, context.scratch)
        frame = context.workspace.array("dframe", (len(x), *sizes, self.filters), dz.dtype)
        do(frame.fill, 0)
        do(np.copyto, frame[inside], dz)
        windows = windows_of(frame, self.kernel_size, self.strides, self.dilation_rate, space, do)
        # The frame may be larger than what the windows need.
        windows = windows[:, : x.shape[1], : x.shape[2]]
        kernel = self["kernel"].reshape(-1, channels)
        do(gradients["kernel"].fill, 0)
        total = gradients["kernel"].reshape(kernel.shape)
        found = space.array("found", kernel.shape, dz.dtype)
        dx = context.workspace.array("dx", x.shape, x.dtype)
        for piece in pieces(windows, channels):
            rows = columns(windows[piece], 2, space, do)
            product(rows, kernel, dx[piece].reshape(-1, channels), do, space)
            product(rows.T, matrix(x[piece], space, do), found, do, space)
            do(np.add, total, found, out=total)
        if self.use_bias:
            add_rows(matrix(dz, space, do), gradients["bias"], do)
        return dx, gradients
