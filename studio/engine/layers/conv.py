"""Convolutions over one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, cast

import numpy as np

from studio.engine.activations import Activation, activations
from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers import windows as win
from studio.engine.layers.base import Gradients, WeightSpec, is_left_out, known, register
from studio.engine.layers.columns import (
    batches,
    columns,
    line_of,
    matrix,
    pieces,
    planes,
    sample_groups,
    scatter,
    windows_of,
)
from studio.engine.layers.planned import Planned
from studio.engine.layers.supply import Supply, WayBack, hollow
from studio.engine.layers.tiles import product
from studio.engine.params import Boolean, Choice, Integer, Integers
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_sum_of_rows
from studio.engine.workspace import Array, Context, Shape, Workspace

TURNED = 1.3
"""So many times as many positions as a convolution had, its turned one may have to be cheaper."""

Sum = Callable[[Array, Array], None]
"""Takes windows and dz of a piece."""
Back = Callable[[slice, Array], None]
"""Leads dz of some samples back to where the gradient of the input is kept."""


class Conv(Planned):
    """What the convolutions share: each output is a window of the input times the kernel.

    The windows are laid out as rows (see ``columns``), so that matrix products do the work.
    """

    rank: ClassVar[int]
    category = "Convolution"
    supports_masking = False
    supplies = True

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
    def _window(self) -> tuple[win.Sizes, win.Sizes, win.Sizes]:
        """Sizes, strides and dilations of its windows."""
        return self.kernel_size, self.strides, self.dilation_rate

    @property
    def output_activation(self) -> Activation:
        """The activation that its output ends with."""
        return self.activation

    @property
    def adds_bias(self) -> bool:
        """Where it has one."""
        return self.use_bias

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

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The output piece by piece; a few samples at a time where the next layer asks for them."""
        lengths = cast("win.Sizes", self._lengths(x.shape))
        if context.asking is not None:
            lengths = context.asking.needs(lengths)
        shape = (len(x), *lengths, self.filters)
        amounts = win.pads(
            x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        padded = win.pad(x, amounts, 0, context.workspace, "padded", do)
        windows = self._windows(padded, lengths, context.scratch, do)
        if context.asking is not None:
            supply = self._supply(shape, (x.shape, padded, amounts, None), windows, context)
            context.supply = supply
            return hollow(shape, x.dtype), supply
        saved = context.workspace.array("saved", shape, x.dtype)
        in_place = self.activation.saves == "output" or context.linear_output
        y = saved if in_place else context.workspace.array("y", shape, x.dtype)
        self._fill(windows, saved, y, context, do)
        return y, (x.shape, padded, amounts, saved)

    def _windows(self, padded: Array, lengths: win.Sizes, space: Workspace, do: Do) -> Array:
        """The first windows along each dimension, as many as are wanted."""
        windows = windows_of(padded, *self._window, space, do)
        return windows[(slice(None), *(slice(length) for length in lengths))]

    def _supply(self, shape: win.Sizes, cache: Any, windows: Array, context: Context) -> Supply:
        """The output of that shape for the next layer, which does what comes after the products."""

        def some(samples: slice, do: Do) -> Array:
            met = windows[samples]
            z = context.scratch.array("supplied", (len(met), *shape[1:]), met.dtype)
            self._fill(met, z, z, context, do)
            return z

        return Supply(some, lambda like, do: self._way_back(like, cache, context, do))

    def _fill(self, windows: Array, saved: Array, y: Array, context: Context, do: Do) -> None:
        """z = windows · kernel + bias; y = activation(z)."""
        linear = is_left_out(self.activation, context)
        kernels = self._parts(self["kernel"].reshape(-1, self.filters))
        bias = None
        if self.use_bias and not context.leaves_bias:
            bias = line_of(self["bias"], saved.shape[-2:], context.scratch, do)
        for piece in pieces(windows, self.filters):
            z = saved[piece]
            parts = zip(self._parts(windows[piece]), kernels, self._parts(z), strict=True)
            for part, kernel, out in parts:
                rows = columns(part, self.rank, context.scratch, do)
                self._product(rows, kernel, out, context.scratch, do)
            if bias is not None:
                # A piece of a long sequence is less than a line.
                line = bias[: z.shape[-2]]
                lines = z.reshape(-1, *line.shape)
                do(np.add, lines, line, out=lines)
            if not linear:
                self.activation.lay(z, y[piece], do)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """dz = dy · activation', dkernel = windowsᵀ · dz, dbias = Σ dz; dx as told below."""
        if isinstance(cache, Supply):
            return cache.found
        back = self._way_back(dy, cache, context, do)
        back.lead(slice(0, len(dy)), dy)
        return back.dx, back.gradients

    def _way_back(self, like: Array, cache: Any, context: Context, do: Do) -> WayBack:
        """The way back, for a few samples at a time, so that they stay in the cache.

        At most as many samples as in ``like`` arrive at once.
        """
        shape, padded, amounts, saved = cache
        space = context.scratch
        gradients = self.gradients(context)
        add = self._summed(gradients, like.dtype, context, do)
        windows = self._windows(padded, like.shape[1:-1], space, do)
        # A kernel turned around also works on the zeros that it needs around dz.
        worth = prod(shape[1:-1]) < TURNED * prod(like.shape[1:-1])
        turned = worth and all(stride == 1 for stride in self.strides)
        most = windows[: len(like)]
        groups = sample_groups(most, self.filters) if turned else batches(like, shape[-1])
        dx, back = None, None
        if context.needs_input_gradient:
            way = self._turned if turned else self._scattered
            dx, back = way(like[groups[0]].shape, shape, amounts, context, do)
        linear = is_left_out(self.activation, context)

        def lead(some: slice, dy: Array) -> None:
            for group in groups:
                arriving = dy[group]
                if not len(arriving):
                    break
                start = some.start + group.start
                samples = slice(start, start + len(arriving))
                met, dz = windows[samples], arriving
                if not linear or not arriving.flags.c_contiguous:
                    dz = space.array("dz", arriving.shape, dy.dtype)
                for piece in pieces(met, self.filters):
                    part = dz[piece]
                    if not linear:
                        kept = saved[samples][piece]
                        self.activation.lay_back(arriving[piece], kept, part, space, do)
                    elif dz is not arriving:
                        do(np.copyto, part, arriving[piece])
                    add(met[piece], part)
                if back is not None:
                    back(samples, dz)

        return WayBack(dx, gradients, lead)

    def _summed(self, gradients: Gradients, dtype: Any, context: Context, do: Do) -> Sum:
        """What adds the share of some windows to the gradients of the weights, from zero on."""
        space = context.scratch
        bias = None if context.leaves_bias else gradients.get("bias")
        do(gradients["kernel"].fill, 0)
        if bias is not None:
            do(bias.fill, 0)
        kernels = self._parts(gradients["kernel"].reshape(-1, self.filters))
        found = space.array("dkernel", kernels[0].shape, dtype)

        def add(windows: Array, dz: Array) -> None:
            parts = zip(self._parts(windows), self._parts(dz), kernels, strict=True)
            for met, part, into in parts:
                rows = columns(met, self.rank, space, do)
                product(rows.T, matrix(part, space, do), found, do, space)
                do(np.add, into, found, out=into)
            if bias is not None:
                add_sum_of_rows(dz.reshape(-1, self.filters), bias, space, do)

        return add

    def _turned(
        self, group: win.Sizes, shape: win.Sizes, amounts: win.Pads, context: Context, do: Do
    ) -> tuple[Array, Back]:
        """dx as a convolution of dz with the kernel turned around; for strides of 1."""
        space, rank = context.scratch, self.rank
        around = tuple(
            ((size - 1) * step - before, length + before - count)
            for size, step, (before, _), length, count in zip(
                self.kernel_size, self.dilation_rate, amounts, shape[1:-1], group[1:-1], strict=True
            )
        )
        dtype = self["kernel"].dtype
        dx = context.workspace.array("dx", shape, dtype)
        framed = planes("around", win.padded(group, around), dtype, space)
        win.frame(framed, around, 0, do)
        inner = framed[win.inner(group[1:-1], around)]
        windows = win.windows(framed, self.kernel_size, (1,) * rank, self.dilation_rate)
        kernel = self["kernel"][(slice(None, None, -1),) * rank].swapaxes(-1, -2)
        # Each group's filters lead back to its own channels.
        kernels: list[Array] = []
        for number, part in enumerate(self._filters(kernel)):
            turned = space.array(f"turned {number}", part.shape, dtype)
            do(np.copyto, turned, part)
            kernels.append(turned.reshape(-1, part.shape[-1]))

        def back(samples: slice, dz: Array) -> None:
            do(np.copyto, inner[: len(dz)], dz)
            met, into = windows[: len(dz)], dx[samples]
            for piece in pieces(met, shape[-1]):
                parts = zip(self._parts(met[piece]), kernels, self._parts(into[piece]), strict=True)
                for part, turned, out in parts:
                    self._product(columns(part, rank, space, do), turned, out, space, do)

        return dx, back

    def _scattered(
        self, group: win.Sizes, shape: win.Sizes, amounts: win.Pads, context: Context, do: Do
    ) -> tuple[Array, Back]:
        """dx: each number of the kernel leads dz back to the inputs that it was multiplied with."""
        space, swapped = context.scratch, self["kernel"].swapaxes(-1, -2)
        dpadded = context.workspace.array("dpadded", win.padded(shape, amounts), swapped.dtype)
        kernel = space.array("swapped", swapped.shape, swapped.dtype)
        do(np.copyto, kernel, swapped)
        kernels = self._filters(kernel)
        positions = win.positions(self.kernel_size, self.strides, self.dilation_rate, group[1:-1])

        def back(samples: slice, dz: Array) -> None:
            do(dpadded[samples].fill, 0)
            parts = zip(self._parts(dz), kernels, self._parts(dpadded[samples]), strict=True)
            for part, swapped, into in parts:
                scatter(part, swapped, positions, into, space, do)

        return dpadded[win.inner(shape[1:-1], amounts)], back

    def _filters(self, kernel: Array) -> list[Array]:
        """The groups' filters of a kernel (…, filters, channels)."""
        return [kernel] if self.groups == 1 else np.split(kernel, self.groups, axis=-2)

    def _parts(self, array: Array) -> list[Array]:
        """The groups' parts of an array's last axis."""
        return [array] if self.groups == 1 else np.split(array, self.groups, axis=-1)

    def _product(self, rows: Array, kernel: Array, out: Array, space: Workspace, do: Do) -> None:
        if self.groups == 1:
            product(rows, kernel, out.reshape(-1, kernel.shape[1]), do, space)
        else:
            found = space.array("grouped", (len(rows), kernel.shape[1]), out.dtype)
            do(np.matmul, rows, kernel, out=found)
            do(np.copyto, out, found.reshape(out.shape))


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
