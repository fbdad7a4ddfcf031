"""How convolutions work that treat each channel by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided

from studio.engine.activations import Activation
from studio.engine.layers import windows as win
from studio.engine.layers.base import Gradients, is_left_out
from studio.engine.layers.columns import batches, line_of, matrix, without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.layers.tiles import product
from studio.engine.plan import Do
from studio.engine.sums import add_sum_of_rows
from studio.engine.workspace import Array, Context, Shape, Workspace

Back = Callable[[slice, Array], None]
"""Leads the gradient of what some samples were spread to back to the kernel and the input."""


class Depthwise(Planned):
    """What both share: every channel has patterns of its own.

    All is done for a few samples at a time, so that they stay in the cache.
    """

    category = "Convolution"
    supports_masking = False
    input_ranks = (4,)

    kernel_name: ClassVar[str] = "kernel"
    """The name of the weight with the patterns."""
    mixing: ClassVar[str | None] = None
    """The name of the weight that mixes the channels afterwards, if there is one."""

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

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Per offset in the window: the input there times the kernel there, added up; mixed."""
        space, scratch = context.workspace, context.scratch
        rows, columns = cast("tuple[int, int]", self.lengths(x.shape))
        amounts = win.pads(
            x.shape[1:-1], self.kernel_size, self.strides, self.padding, self.dilation_rate
        )
        padded = self._padded(x, amounts, space, do)
        kernel = self[self.kernel_name]
        spread = space.array("spread", (len(x), rows, columns, padded.shape[-1]), x.dtype)
        saved, point = spread, None
        if self.mixing is not None:
            point = self[self.mixing][0, 0]
            saved = space.array("saved", (*spread.shape[:-1], point.shape[1]), x.dtype)
        in_place = self.activation.saves == "output" or context.linear_output
        y = saved if in_place else space.array("y", saved.shape, x.dtype)
        linear = is_left_out(self.activation, context)
        bias = None
        if self.use_bias:
            bias = line_of(self["bias"], saved.shape[-2:], scratch, do)
        down, across = self.strides
        wide = (columns - 1) * across + 1
        factors = self._factors(kernel, wide, "factors", scratch, do)
        for samples in batches(saved, 2 * spread.shape[-1]):
            z, met = saved[samples], spread[samples]
            self._convolve(padded[samples], factors, met, (down, across), scratch, do)
            if point is not None:
                rows_of_z = matrix(z, scratch, do)
                product(matrix(met, scratch, do), point, rows_of_z, do, scratch)
            if bias is not None:
                do(np.add, z, bias, out=z)
            if not linear:
                self.activation.lay(z, y[samples], do)
        return y, (x.shape, padded, amounts, spread, saved)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """The same sums the other way round."""
        shape, padded, amounts, spread, saved = cache
        space, linear = context.scratch, is_left_out(self.activation, context)
        groups = batches(saved, 2 * spread.shape[-1])
        gradients = self.gradients(context)
        dx, back, finish = self._gathered(
            shape, padded, amounts, spread[groups[0]].shape, gradients, context, do
        )
        point, dpoint = None, None
        if self.mixing is not None:
            point, dpoint = self[self.mixing][0, 0], gradients[self.mixing][0, 0]
            do(dpoint.fill, 0)
        if self.use_bias:
            do(gradients["bias"].fill, 0)
        for samples in groups:
            dz, arriving = dy[samples], dy[samples]
            if not linear:
                dz = space.array("dz", arriving.shape, dy.dtype)
                self.activation.lay_back(arriving, saved[samples], dz, space, do)
            flat = matrix(dz, space, do)
            if self.use_bias:
                add_sum_of_rows(flat, gradients["bias"], space, do)
            if point is not None and dpoint is not None:
                met = spread[samples]
                found = space.array("dpoint", point.shape, dy.dtype)
                product(matrix(met, space, do).T, flat, found, do, space)
                do(np.add, dpoint, found, out=dpoint)
                dz = space.array("dspread", met.shape, dy.dtype)
                product(flat, point.T, matrix(dz, space, do), do, space)
            back(samples, dz)
        finish()
        return dx, gradients

    def _padded(self, x: Array, amounts: win.Pads, space: Workspace, do: Do) -> Array:
        """The input with zeros around it, each channel once for each of its patterns."""
        depth = self.depth_multiplier
        if depth == 1:
            padded = win.pad(x, amounts, 0, space, "padded", do)
            return without_gaps(padded, "padded", space, do)
        shape = win.padded(x.shape, amounts)
        whole = space.array("padded", (*shape[:-1], shape[-1] * depth), x.dtype)
        win.frame(whole, amounts, 0, do)
        inside = whole.reshape(*shape, depth)[win.inner(x.shape[1:-1], amounts)]
        do(np.copyto, inside, x[..., None])
        return whole

    def _gathered(
        self,
        shape: win.Sizes,
        padded: Array,
        amounts: win.Pads,
        group: win.Sizes,
        gradients: Gradients,
        context: Context,
        do: Do,
    ) -> tuple[Array | None, Back, Callable[[], None]]:
        """dx, what adds the share of some samples, and what sums the kernel's up at the end."""
        space, kernel = context.scratch, self[self.kernel_name]
        dtype, (down, across), (above, left) = kernel.dtype, self.strides, self._reach
        (before, _), (beside, _) = amounts
        # As if all strides were 1: zeros between the gradients, and as many around as windows need.
        height, width = padded.shape[1] + above, padded.shape[2] + left
        around = space.array("around", (group[0], height, width, group[3]), dtype)
        do(around.fill, 0)
        rows, columns = (group[1] - 1) * down + 1, (group[2] - 1) * across + 1
        lines = around[:, above : above + rows : down, left : left + columns]
        arriving, framed = _merged(lines), around[:, before:, beside:]
        size = columns * group[3]
        totals = space.array("totals", (*self.kernel_size, size), dtype)
        sums = space.array("sums", (*self.kernel_size, size), dtype)
        do(totals.fill, 0)
        dx, wide, factors = None, None, None
        if context.needs_input_gradient:
            dx = context.workspace.array("dx", shape, dtype)
            turned = space.array("turned", kernel.shape, dtype)
            do(np.copyto, turned, kernel[::-1, ::-1])
            factors = self._factors(turned, shape[2], "turned factors", space, do)
            if self.depth_multiplier > 1:
                wide = space.array("wide", (group[0], *shape[1:3], group[3]), dtype)

        def back(samples: slice, dz: Array) -> None:
            count = len(dz)
            do(np.copyto, lines[:count, :, ::across], dz)
            met = self._met(padded[samples], group[1], columns, down)
            for u, v in np.ndindex(self.kernel_size):
                do(np.einsum, "brx,brx->x", met[:, :, u, v], arriving[:count], out=sums[u, v])
            do(np.add, totals, sums, out=totals)
            if dx is None or factors is None:
                return
            into = dx[samples]
            out = into if wide is None else wide[:count]
            self._convolve(framed[:count], factors, out, (1, 1), space, do)
            if wide is not None:
                do(np.add.reduce, out.reshape(*into.shape, -1), axis=-1, out=into)

        def finish() -> None:
            by_column = totals.reshape(*self.kernel_size, columns, *kernel.shape[2:])
            do(np.add.reduce, by_column, axis=2, out=gradients[self.kernel_name])

        return dx, back, finish

    @property
    def _reach(self) -> tuple[int, int]:
        """How far it is from the first to the last row of a window, and column."""
        rows, columns = (
            (size - 1) * step
            for size, step in zip(self.kernel_size, self.dilation_rate, strict=True)
        )
        return rows, columns

    def _factors(self, kernel: Array, columns: int, name: str, space: Workspace, do: Do) -> Array:
        """The kernel for so many columns next to each other: (…offset, columns · c)."""
        flat = kernel.reshape(*self.kernel_size, 1, -1)
        found = space.array(name, (*flat.shape[:2], columns, flat.shape[3]), kernel.dtype)
        do(np.copyto, found, flat)
        return found.reshape(*flat.shape[:2], -1)

    def _convolve(
        self, x: Array, factors: Array, y: Array, steps: tuple[int, int], space: Workspace, do: Do
    ) -> None:
        """At each position the sum of the input in the window times the kernel, into ``y``.

        All offsets of a line of outputs are added up while it is in the cache.
        """
        down, across = steps
        rows, columns = y.shape[1], (y.shape[2] - 1) * across + 1
        out = y
        if across > 1:
            out = space.array("all columns", (len(y), rows, columns, y.shape[3]), y.dtype)
        met = self._met(x, rows, columns, down)
        do(np.einsum, "bruvx,uvx->brx", met, factors, out=_merged(out))
        if out is not y:
            do(np.copyto, y, out[:, :, ::across])

    def _met(self, x: Array, rows: int, columns: int, down: int) -> Array:
        """What each line of outputs meets at each offset, (batch, rows, …offset, columns · c).

        The next column is in memory right after the one before, so a line is one run of it.
        Windows are ``down`` rows and one column apart.
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
