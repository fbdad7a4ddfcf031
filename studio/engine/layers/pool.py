"""How pooling works, over any number of dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

import numpy as np

from studio.engine.layers import windows as win
from studio.engine.layers.base import Gradients, Layer
from studio.engine.workspace import Array, Context, Shape, Workspace

SAMPLES_BYTES = 1 << 20
"""Inputs that are worked on at a time: about half of a core's second-level cache."""


class Pooling(Layer):
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
        lengths = tuple(
            win.output_length(length, size, step, self.padding)
            for length, size, step in zip(
                input_shape[1:-1], self.pool_size, self.steps, strict=True
            )
        )
        win.check_windows(self, input_shape, lengths)
        return (input_shape[0], *lengths, input_shape[-1])

    def _slices(self, counts: win.Sizes) -> list[tuple[slice, ...]]:
        ones = (1,) * len(counts)
        return [where for _, where in win.positions(self.pool_size, self.steps, ones, counts)]


class MaxPooling(Pooling):
    """The largest number of each window, found along one dimension after the other, the last first.

    That reads each number fewer times than looking at all of a window would, and mostly in long
    runs. On the way back the first window line that holds the largest number is chosen, then the
    first place in it: together the first place in the window, as in Keras.
    """

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, channels)."""
        shape = cast("tuple[int, ...]", self.compute_output_shape(x.shape))
        ones = (1,) * type(self).rank
        amounts = win.pads(x.shape[1:-1], self.pool_size, self.steps, self.padding, ones)
        stages = [win.pad(x, amounts, -np.inf, context, "padded")]
        lines: list[list[tuple[slice, ...]]] = []
        for axis in range(type(self).rank, 0, -1):
            sizes = (*stages[-1].shape[:axis], *shape[axis:])
            stages.append(context.workspace.array(f"largest {axis}", sizes, x.dtype))
            lines.append(self._line(axis, shape[axis]))
        for samples in _pieces(stages[0]):
            for line, source, y in zip(lines, stages, stages[1:], strict=False):
                part, into = source[samples], y[samples]
                first, *others = [part[where] for where in line]
                if not others:
                    np.copyto(into, first)
                for other in others:
                    np.maximum(first, other, out=into)
                    first = into
        return stages[-1], (x.shape, amounts, stages, lines)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Each gradient goes to the first largest number of its window."""
        shape, amounts, stages, lines = cache
        space = context.workspace
        dpadded = space.array("dpadded", stages[0].shape, dy.dtype)
        for samples in _pieces(stages[0]):
            part = dy[samples]
            for number in range(len(lines) - 1, -1, -1):
                x, y = stages[number][samples], stages[number + 1][samples]
                dx = dpadded[samples]
                if number:
                    dx = space.array(f"back {number}", x.shape, dy.dtype)
                self._spread(part, x, y, dx, lines[number], len(lines) - number, space)
                part = dx
        return dpadded[win.inner(shape[1:-1], amounts)], {}

    def _spread(
        self,
        dy: Array,
        x: Array,
        y: Array,
        dx: Array,
        line: list[tuple[slice, ...]],
        axis: int,
        space: Workspace,
    ) -> None:
        """The way back along one dimension."""
        size, step = self.pool_size[axis - 1], self.steps[axis - 1]
        if step != size or x.shape[axis] != y.shape[axis] * size:
            dx.fill(0)
        winner = space.array("winner", dy.shape, np.bool_)
        left = space.array("left", dy.shape, np.bool_)
        left.fill(True)
        for number, where in enumerate(line, 1):
            if number < size:
                np.equal(x[where], y, out=winner)
                winner &= left
                left ^= winner
            else:
                winner = left
            if step >= size:
                np.multiply(dy, winner, out=dx[where])
            else:
                dx[where] += dy * winner

    def _line(self, axis: int, count: int) -> list[tuple[slice, ...]]:
        """For each place in a window of one dimension, what it meets over all windows."""
        size, step = self.pool_size[axis - 1], self.steps[axis - 1]
        return [
            (*(slice(None),) * axis, slice(place, place + (count - 1) * step + 1, step))
            for place in range(size)
        ]


def _pieces(x: Array) -> Iterator[slice]:
    """Some samples at a time, few enough to stay in the cache."""
    size = max(1, SAMPLES_BYTES // max(1, x[:1].nbytes))
    for start in range(0, len(x), size):
        yield slice(start, start + size)


class AveragePooling(Pooling):
    """The mean of each window; zeros that padding adds do not count."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, channels)."""
        shape = cast("tuple[int, ...]", self.compute_output_shape(x.shape))
        ones = (1,) * type(self).rank
        amounts = win.pads(x.shape[1:-1], self.pool_size, self.steps, self.padding, ones)
        padded = win.pad(x, amounts, 0, context, "padded")
        y = context.workspace.zeros("y", shape, x.dtype)
        for where in self._slices(shape[1:-1]):
            y += padded[where]
        counts = self._counts(x.shape[1:-1], padded.shape[1:-1], amounts, shape[1:-1], x.dtype)
        y /= counts
        return y, (x.shape, padded.shape, amounts, counts)

    def _counts(
        self,
        lengths: win.Sizes,
        framed: win.Sizes,
        amounts: win.Pads,
        counts: win.Sizes,
        dtype: Any,
    ) -> Array:
        """How many numbers of the input each window holds: (1, …positions, 1)."""
        inside = np.zeros((1, *framed, 1), dtype)
        inside[win.inner(lengths, amounts)] = 1
        total = np.zeros((1, *counts, 1), dtype)
        for where in self._slices(counts):
            total += inside[where]
        return total

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Each gradient is spread evenly over its window."""
        shape, padded_shape, amounts, counts = cache
        share = dy / counts
        dpadded = context.workspace.zeros("dpadded", padded_shape, dy.dtype)
        for where in self._slices(dy.shape[1:-1]):
            dpadded[where] += share
        return dpadded[win.inner(shape[1:-1], amounts)], {}
