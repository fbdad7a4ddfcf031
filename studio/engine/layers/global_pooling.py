"""Pooling over all of a sequence or an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.layers.base import Gradients, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.params import Boolean
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape


class GlobalPooling(Planned):
    """What they share: one number per channel."""

    category = "Pooling"
    supports_masking = False

    keepdims = Boolean(False, label="Keep dimensions", help="Leaves dimensions of size 1 behind.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …spatial, channels) → (batch, channels), or with 1 for each spatial dimension."""
        self.check_input(input_shape)
        ones = (1,) * (len(input_shape) - 2) if self.keepdims else ()
        return (input_shape[0], *ones, input_shape[-1])

    def _flat(self, x: Array, context: Context, do: Do) -> Array:
        """(batch, positions, channels)."""
        return without_gaps(x, "x", context.workspace, do).reshape(len(x), -1, x.shape[-1])

    def _shaped(self, y: Array, x: Array) -> Array:
        """(batch, channels), where asked for with a dimension of 1 for each spatial one."""
        return y.reshape(len(x), *(1,) * (x.ndim - 2), x.shape[-1]) if self.keepdims else y


class GlobalAverage(GlobalPooling):
    """The mean of each channel; of the steps that count, where there is a mask."""

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, channels)."""
        space, flat = context.workspace, self._flat(x, context, do)
        if context.mask is None or x.ndim != 3:
            share = np.full((1, flat.shape[1]), 1 / flat.shape[1], x.dtype)
        else:
            share = space.array("share", context.mask.shape, x.dtype)
            count = space.array("count", (len(x), 1), x.dtype)
            do(np.copyto, share, context.mask)
            do(np.add.reduce, share, axis=1, keepdims=True, out=count)
            do(np.divide, share, count, out=share)
        y = space.array("y", (len(x), 1, x.shape[-1]), x.dtype)
        do(np.matmul, share[:, None], flat, out=y)
        return self._shaped(y[:, 0], x), (x.shape, share)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """Each gradient is spread evenly."""
        shape, share = cache
        dx = context.workspace.array("dx", shape, dy.dtype)
        flat = dx.reshape(shape[0], -1, shape[-1])
        arriving = without_gaps(dy, "dy", context.workspace, do).reshape(len(dy), 1, -1)
        if context.mask is None:
            # All alike, and to copy them takes half the time of computing them.
            spread = context.workspace.array("spread", arriving.shape, dy.dtype)
            do(np.multiply, arriving, share[0, 0], out=spread)
            do(np.copyto, flat, spread)
        else:
            do(np.multiply, arriving, share[..., None], out=flat)
        return dx, {}


class GlobalMax(GlobalPooling):
    """The largest number of each channel."""

    picks_largest = True

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, …spatial, channels) → (batch, channels)."""
        space, flat = context.workspace, self._flat(x, context, do)
        largest, y = (space.array(name, flat[:, 0].shape, x.dtype) for name in ("largest", "y"))
        do(np.maximum.reduce, flat, axis=1, out=largest)
        do(np.copyto, y, largest)
        if context.late is not None:
            context.late.lay(y, space, do)
        return self._shaped(y, x), (flat, largest, y, x.shape)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """Each gradient goes to the first largest number of its channel."""
        flat, largest, y, shape = cache
        space = context.workspace
        dx = space.array("dx", flat.shape, dy.dtype)
        places = space.array("places", flat.shape, np.bool_)
        arriving = without_gaps(dy, "dy", space, do).reshape(largest.shape)
        if context.late is not None:
            context.late.lay_start(do)
            arriving = context.late.lay_back(arriving, y, context.scratch, do)
        do(_lead_back, arriving, flat, largest, places, dx)
        return dx.reshape(shape), {}


def _lead_back(dy: Array, x: Array, largest: Array, places: Array, dx: Array) -> None:
    np.equal(x, largest[:, None], out=places)
    if np.count_nonzero(places) == largest.size:
        np.multiply(dy[:, None], places, out=dx)
        return
    # Some channel has equal ones, or numbers that aren't any.
    dx.fill(0)
    np.put_along_axis(dx, x.argmax(axis=1)[:, None], dy[:, None], axis=1)


@register()
class GlobalAveragePooling1D(GlobalAverage):
    """The mean of each channel over a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling1d/
    """

    input_ranks = (3,)
    help = "Turns a sequence into one number per channel: the mean."


@register()
class GlobalAveragePooling2D(GlobalAverage):
    """The mean of each channel over an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling2d/
    """

    input_ranks = (4,)
    help = "Turns an image into one number per channel: the mean."


@register()
class GlobalAveragePooling3D(GlobalAverage):
    """The mean of each channel over a volume.

    Input shape: ``(batch, a, b, c, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_average_pooling3d/
    """

    input_ranks = (5,)
    help = "Turns a volume into one number per channel: the mean."


@register()
class GlobalMaxPooling1D(GlobalMax):
    """The largest number of each channel over a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling1d/
    """

    input_ranks = (3,)
    help = "Turns a sequence into one number per channel: the largest number."


@register()
class GlobalMaxPooling2D(GlobalMax):
    """The largest number of each channel over an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling2d/
    """

    input_ranks = (4,)
    help = "Turns an image into one number per channel: the largest number."


@register()
class GlobalMaxPooling3D(GlobalMax):
    """The largest number of each channel over a volume.

    Input shape: ``(batch, a, b, c, channels)``. Output shape: ``(batch, channels)``.
    Source: https://keras.io/api/layers/pooling_layers/global_max_pooling3d/
    """

    input_ranks = (5,)
    help = "Turns a volume into one number per channel: the largest number."
