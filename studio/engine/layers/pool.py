"""How pooling works, over any number of dimensions."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np

from studio.engine.layers import windows as win
from studio.engine.layers.base import Gradients
from studio.engine.layers.planned import Planned
from studio.engine.layers.supply import hollow
from studio.engine.plan import Do
from studio.engine.sums import add_up
from studio.engine.workspace import Array, Context, Shape, Workspace

SAMPLES_BYTES = 1 << 20
"""Inputs that are worked on at a time: about half of a core's second-level cache."""


class Pooling(Planned):
    """What the pooling layers share: windows and their positions."""

    rank: ClassVar[int]
    category = "Pooling"
    supports_masking = False

    pool_size: Any
    strides: Any
    padding: Any

    @property
    def steps(self) -> win.Sizes:
        """The distance between two windows: ``strides``, else ``pool_size``."""
        return self.pool_size if self.strides is None else self.strides

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …spatial, channels) → (batch, …positions, channels)."""
        self.check_input(input_shape)
        lengths = self._lengths(input_shape)
        win.check_windows(self, input_shape, lengths)
        return (input_shape[0], *lengths, input_shape[-1])

    def _lengths(self, input_shape: Shape) -> Shape:
        ones = (1,) * type(self).rank
        return win.output_lengths(input_shape[1:-1], self.pool_size, self.steps, self.padding, ones)

    def _samples(self, padded: Array) -> list[slice]:
        """So many samples at a time that they stay in the cache."""
        return win.batches(len(padded), SAMPLES_BYTES // max(1, padded[:1].nbytes))

    def _lay_zeros(self, dx: Array, count: int, axis: int, do: Do) -> None:
        """Clear what so many windows along a dimension don't meet, or all where some meet twice."""
        size, step = self.pool_size[axis - 1], self.steps[axis - 1]
        start = count * size if step == size else 0
        if start < dx.shape[axis]:
            do(dx[(*(slice(None),) * axis, slice(start, None))].fill, 0)

    def _line(self, axis: int, count: int) -> tuple[win.Index, ...]:
        """For each place in a window along one dimension, what it meets over all windows."""
        return win.line(axis, count, self.pool_size[axis - 1], self.steps[axis - 1])


class MaxPooling(Pooling):
    """The largest number of each window, found along one dimension after the other, the last first.

    That reads each number fewer times than looking at all of a window would, and mostly in long
    runs. Of equal numbers the first counts: of the lines of a window the first, and in it the first
    place, together the first place in the window, as in Keras. Where no gradient comes back, the
    first dimension goes first, whose runs are longer.
    """

    picks_largest = True

    def needs(self, lengths: win.Sizes) -> win.Sizes:
        """All positions that some window meets."""
        if self.padding == "same":
            return lengths
        counts = cast("win.Sizes", self._lengths((None, *lengths, None)))
        return tuple(
            (count - 1) * step + size
            for count, step, size in zip(counts, self.steps, self.pool_size, strict=True)
        )

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, channels)."""
        space, rank = context.workspace, type(self).rank
        shape = (len(x), *cast("win.Sizes", self._lengths(x.shape)), x.shape[-1])
        amounts = win.pads(x.shape[1:-1], self.pool_size, self.steps, self.padding, (1,) * rank)
        padded = hollow(win.padded(x.shape, amounts), x.dtype)
        late = context.late
        supply = None if late is None else late.take_supply()
        y = space.array("y", shape, x.dtype)
        axes = range(rank, 0, -1) if context.turns_back else range(1, rank + 1)
        lines = {axis: self._line(axis, shape[axis]) for axis in axes}
        # For each place but the first, where it is larger than all before it.
        larger = {
            axis: space.array(
                f"larger {axis}",
                (len(lines[axis]) - 1, *padded.shape[:axis], *shape[axis:]),
                np.bool_,
            )
            for axis in axes
            if context.turns_back
        }
        for samples in self._samples(padded):
            part = x[samples] if supply is None else supply.lay(samples, do)
            part = win.pad(part, amounts, -np.inf, context.scratch, "framed", do)
            for axis in axes:
                first, *others = [part[where] for where in lines[axis]]
                into = y[samples]
                if axis != axes[-1]:
                    into = context.scratch.array(f"part {axis}", first.shape, x.dtype)
                if not others:
                    do(np.copyto, into, first)
                for place, other in enumerate(others):
                    if larger:
                        do(np.greater, other, first, out=larger[axis][place, samples])
                    do(np.maximum, other, first, out=into)
                    first = into
                part = into
            if late is not None:
                late.lay(y[samples], context.scratch, do)
        return y, (padded, win.inner(x.shape[1:-1], amounts), lines, larger, y, supply)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """Each gradient goes to the first largest number of its window."""
        dpadded, inner, lines, larger, y, supply = cache
        space, rank, late, lead = context.scratch, type(self).rank, context.late, None
        groups = self._samples(dpadded)
        if late is not None:
            late.lay_start(do)
        if supply is None:
            dpadded = context.workspace.array("dpadded", dpadded.shape, dy.dtype)
        else:
            lead = supply.begin_back(dpadded[groups[0]][inner], do)
        for samples in groups:
            part = dy[samples]
            if late is not None:
                part = late.lay_back(part, y[samples], space, do)
            for axis in range(1, rank + 1):
                dx = dpadded[samples]
                if axis < rank:
                    sizes = larger[axis + 1].shape[2:]
                    dx = space.array(f"back {axis}", (len(part), *sizes), dy.dtype)
                elif lead is not None:
                    dx = space.array("supplied", dx.shape, dy.dtype)
                self._spread(part, larger[axis][:, samples], dx, lines[axis], axis, space, do)
                part = dx
            if lead is not None:
                lead(samples, part[inner])
        return dpadded[inner], {}

    def _spread(
        self,
        dy: Array,
        larger: Array,
        dx: Array,
        line: tuple[win.Index, ...],
        axis: int,
        space: Workspace,
        do: Do,
    ) -> None:
        """The way back along one dimension: the last place takes what is its, then the others."""
        size = self.pool_size[axis - 1]
        self._lay_zeros(dx, dy.shape[axis], axis, do)
        overlap = self.steps[axis - 1] < size
        for place in range(size - 1, 0, -1):
            met = dx[line[place]]
            own = space.array("own", dy.shape, dy.dtype) if overlap else met
            do(np.multiply, dy, larger[place - 1], out=own)
            if overlap:
                do(np.add, met, own, out=met)
            first = place == 1 and not overlap
            others = dx[line[0]] if first else space.array("others", dy.shape, dy.dtype)
            do(np.subtract, dy, own, out=others)
            dy = others
        met = dx[line[0]]
        if overlap:
            do(np.add, met, dy, out=met)
        elif size == 1:
            do(np.copyto, met, dy)


class AveragePooling(Pooling):
    """The mean of each window; zeros that padding adds do not count.

    Added up along one dimension after the other: the first ones are long runs of memory.
    """

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, channels)."""
        space, rank = context.workspace, type(self).rank
        shape = (len(x), *cast("win.Sizes", self._lengths(x.shape)), x.shape[-1])
        amounts = win.pads(x.shape[1:-1], self.pool_size, self.steps, self.padding, (1,) * rank)
        padded = win.pad(x, amounts, 0, space, "padded", do)
        y = space.array("y", shape, x.dtype)
        counts = self._counts(x.shape[1:-1], amounts, shape[1:-1], x.dtype)
        for samples in self._samples(padded):
            part = padded[samples]
            for axis in range(1, rank + 1):
                met = [part[where] for where in self._line(axis, shape[axis])]
                part = y[samples]
                if axis < rank:
                    part = context.scratch.array(f"sum {axis}", met[0].shape, x.dtype)
                add_up(met, part, do)
            do(np.divide, part, counts, out=part)
        return y, (x.shape, padded.shape, amounts, counts)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """Each gradient is spread evenly over its window."""
        shape, padded_shape, amounts, counts = cache
        space, rank = context.scratch, type(self).rank
        dpadded = context.workspace.array("dpadded", padded_shape, dy.dtype)
        for samples in self._samples(dpadded):
            part = space.array("share", dy[samples].shape, dy.dtype)
            do(np.divide, dy[samples], counts, out=part)
            for axis in range(rank, 0, -1):
                dx = dpadded[samples]
                if axis > 1:
                    sizes = (*part.shape[:axis], *padded_shape[axis:])
                    dx = space.array(f"back {axis}", sizes, dy.dtype)
                self._spread(part, dx, axis, do)
                part = dx
        return dpadded[win.inner(shape[1:-1], amounts)], {}

    def _spread(self, dy: Array, dx: Array, axis: int, do: Do) -> None:
        """The way back along one dimension: each place of a window takes the same."""
        self._lay_zeros(dx, dy.shape[axis], axis, do)
        overlap = self.steps[axis - 1] < self.pool_size[axis - 1]
        for where in self._line(axis, dy.shape[axis]):
            met = dx[where]
            if overlap:
                do(np.add, met, dy, out=met)
            else:
                do(np.copyto, met, dy)

    def _counts(
        self, lengths: win.Sizes, amounts: win.Pads, counts: win.Sizes, dtype: Any
    ) -> Array:
        """How many numbers of the input each window holds: (1, …positions, 1)."""
        total = np.ones((1, *counts, 1), dtype)
        for axis, (length, (before, _), count) in enumerate(
            zip(lengths, amounts, counts, strict=True)
        ):
            start = np.arange(count) * self.steps[axis] - before
            stop = np.minimum(start + self.pool_size[axis], length)
            inside = (stop - np.maximum(start, 0)).astype(dtype)
            total *= inside.reshape(-1, *(1,) * (len(counts) - axis))
        return total
