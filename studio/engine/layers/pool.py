"""How pooling works, over any number of dimensions."""

from __future__ import annotations

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
    """The largest number of each window."""

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, …positions, channels)."""
        shape = cast("tuple[int, ...]", self.compute_output_shape(x.shape))
        ones = (1,) * type(self).rank
        amounts = win.pads(x.shape[1:-1], self.pool_size, self.steps, self.padding, ones)
        padded = win.pad(x, amounts, -np.inf, context, "padded")
        y = context.workspace.array("y", shape, x.dtype)
        first, *others = self._slices(shape[1:-1])
        np.copyto(y, padded[first])
        for where in others:
            np.maximum(y, padded[where], out=y)
        return y, (x.shape, amounts, padded, y)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Each gradient goes to the first largest number of its window."""
        shape, amounts, padded, y = cache
        space = context.workspace
        dpadded = space.array("dpadded", padded.shape, dy.dtype)
        apart = all(step >= size for size, step in zip(self.pool_size, self.steps, strict=True))
        if not (apart and self._covers(padded.shape[1:-1], dy.shape[1:-1])):
            dpadded.fill(0)
        size = max(1, SAMPLES_BYTES // max(1, padded[:1].nbytes))
        for start in range(0, len(dy), size):
            samples = slice(start, start + size)
            self._spread(dy[samples], padded[samples], y[samples], dpadded[samples], apart, space)
        return dpadded[win.inner(shape[1:-1], amounts)], {}

    def _spread(
        self, dy: Array, x: Array, y: Array, dx: Array, apart: bool, space: Workspace
    ) -> None:
        """The backward step of some samples, few enough to stay in the cache."""
        winner = space.array("winner", dy.shape, np.bool_)
        left = space.array("left", dy.shape, np.bool_)
        left.fill(True)
        for where in self._slices(dy.shape[1:-1]):
            np.equal(x[where], y, out=winner)
            winner &= left
            left ^= winner
            if apart:
                np.multiply(dy, winner, out=dx[where])
            else:
                dx[where] += dy * winner

    def _covers(self, lengths: win.Sizes, counts: win.Sizes) -> bool:
        """Whether every number of the input lies in a window."""
        return self.pool_size == self.steps and all(
            length == count * size
            for length, count, size in zip(lengths, counts, self.pool_size, strict=True)
        )


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
