"""Normalization by the moments of a batch; and what all normalizations end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError, dimensions
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.layers.channels import Channels, channels_of
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do, at_once
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape, Workspace


def axis_of(layer: Layer, axis: int, rank: int) -> int:
    """The axis, counted from the front.

    Raises:
        ShapeError: if a sample has none of that number.
    """
    found = axis + rank if axis < 0 else axis
    if not 1 <= found < rank:
        wanted = f"an input that has an axis {axis}"
        raise ShapeError(wanted, dimensions(rank - 1), layer.label)
    return found


class Affine(Layer):
    """gamma and beta, which what was normalized is multiplied with and shifted by."""

    category = "Normalization"

    center: Any
    scale: Any
    beta_initializer: Any
    gamma_initializer: Any
    beta_regularizer: Any
    gamma_regularizer: Any
    beta_constraint: Any
    gamma_constraint: Any

    def affine_specs(self, shape: tuple[int, ...]) -> tuple[WeightSpec, ...]:
        """gamma and beta, as asked for."""
        gamma = WeightSpec(
            "gamma", shape, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
        )
        beta = WeightSpec(
            "beta", shape, self.beta_initializer, self.beta_regularizer, self.beta_constraint
        )
        return (gamma,) * self.scale + (beta,) * self.center

    @property
    def factor(self) -> Array | int:
        """gamma in one row, 1 where there is none."""
        return self["gamma"].reshape(-1) if self.scale else 1

    def affine_gradients(
        self, context: Context, gamma: Array, beta: Array, do: Do = at_once
    ) -> dict[str, Array]:
        """The gradients of those that it has."""
        found: dict[str, Array] = {}
        for name, wanted, values in (("gamma", self.scale, gamma), ("beta", self.center, beta)):
            if wanted:
                found[name] = context.gradient(name, self[name])
                do(np.copyto, found[name], values.reshape(found[name].shape))
        return found


@register()
class BatchNormalization(Affine, Planned):
    """y = gamma · (x - mean) / sqrt(variance + ε) + beta, by channel over the batch.

    Outside training the moving averages of mean and variance take their place.
    Input shape: any. Output shape: the same.
    Source: Ioffe and Szegedy, 2015; https://keras.io/api/layers/normalization_layers/batch_normalization/
    """

    mixes_samples = True
    help = "Keeps the numbers of each channel at a steady size over the batch."

    axis = Integer(-1, advanced=True, help="Where the channels are.")
    momentum = Real(0.99, minimum=0, maximum=1, label="Momentum",
                    help="How slowly the moving averages change.")  # fmt: skip
    epsilon = Real(1e-3, above=0, advanced=True, help="Keeps the division finite.")
    center = Boolean(True, advanced=True, help="Whether a learned number is added.")
    scale = Boolean(True, advanced=True, help="Whether a learned number is multiplied.")
    beta_initializer = Named(initializers, "zeros", advanced=True)
    gamma_initializer = Named(initializers, "ones", advanced=True)
    moving_mean_initializer = Named(initializers, "zeros", advanced=True)
    moving_variance_initializer = Named(initializers, "ones", advanced=True)
    beta_regularizer = Named(regularizers, None, optional=True, advanced=True)
    gamma_regularizer = Named(regularizers, None, optional=True, advanced=True)
    beta_constraint = Named(constraints, None, optional=True, advanced=True)
    gamma_constraint = Named(constraints, None, optional=True, advanced=True)
    synchronized = Boolean(False, advanced=True, help="For Keras' files; has no effect here.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        self._axis(len(input_shape))
        return input_shape

    def _axis(self, rank: int) -> int:
        return axis_of(self, self.axis, rank)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """gamma, beta, moving_mean and moving_variance, each (channels,)."""
        shape = (known(input_shape[self._axis(len(input_shape))], self, "number of channels"),)
        return (
            *self.affine_specs(shape),
            WeightSpec("moving_mean", shape, self.moving_mean_initializer, trainable=False),
            WeightSpec("moving_variance", shape, self.moving_variance_initializer, trainable=False),
        )

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """By the batch's own mean and variance in training, else by the moving ones."""
        axis, space = self._axis(x.ndim), context.workspace
        learns = context.training and self.trainable
        counted = _counted(x, context.mask if learns else None, axis, space, do)
        x = _last(x, axis, "x", space, do)
        read, y = channels_of(x.shape), space.array("y", x.shape, x.dtype)
        lines, out = read.lines(x), read.lines(y)
        mean, variance = self["moving_mean"], self["moving_variance"]
        if learns:
            mean, variance = _lay_moments(read, lines, counted, context, do)
        scale = space.array("scale", mean.shape, x.dtype)
        do(np.add, variance, x.dtype.type(self.epsilon), out=scale)
        do(np.sqrt, scale, out=scale)
        do(np.divide, 1, scale, out=scale)
        factors = space.array("factors", mean.shape, x.dtype)
        do(np.multiply, scale, self.factor, out=factors)

        def line(name: str, values: Array) -> Array:
            return read.line(values, space.array(name, lines.shape[1:], x.dtype), do)

        middle, factor = line("middle", mean), line("factor", factors)
        shift = line("shift", self["beta"]) if self.center else None

        def finish(number: int, _: Array, do: Do) -> None:
            piece = read.pieces[number]
            part = out[piece]
            do(np.subtract, lines[piece], middle, out=part)
            do(np.multiply, part, factor, out=part)
            if shift is not None:
                do(np.add, part, shift, out=part)

        read.each(finish, context, x.dtype, do)
        return _back(y, axis), (lines, middle, factor, scale, mean, variance, learns, counted)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """dx = gamma · scale · (dy - mean(dy) - n · mean(n · dy)), n = (x - mean) · scale.

        The batch's mean and variance depend on each sample too, on those that count.
        """
        lines, middle, factor, scale, _, _, learns, (counts, total) = cache
        axis, space = self._axis(dy.ndim), context.workspace
        dy = _last(dy, axis, "dy", space, do)
        read, dx = channels_of(dy.shape), space.array("dx", dy.shape, dy.dtype)
        arriving, out = read.lines(dy), read.lines(dx)
        found = space.array("sums of pieces", (len(read.pieces), 2, read.channels), dy.dtype)

        def add(number: int, spare: Array, do: Do) -> None:
            piece, sums = read.pieces[number], found[number]
            met = arriving[piece]
            part = spare[: len(met)]
            read.add(met, sums[0], do)
            do(np.subtract, lines[piece], middle, out=part)
            do(np.multiply, part, met, out=part)
            read.add(part, sums[1], do)

        read.each(add, context, dy.dtype, do)
        plain, along = sums = space.array("sums", found.shape[1:], dy.dtype)
        do(np.add.reduce, found, axis=0, out=sums)
        do(np.multiply, along, scale, out=along)
        gradients = self.affine_gradients(context, along, plain, do)
        if not context.needs_input_gradient:
            return None, gradients
        do(np.multiply, along, scale, out=along)
        do(np.divide, sums, total, out=sums)
        shift, slope = read.line(sums, space.array("slopes", (2, *factor.shape), dy.dtype), do)

        def finish(number: int, _: Array, do: Do) -> None:
            piece = read.pieces[number]
            part = out[piece]
            if not learns:
                do(np.multiply, arriving[piece], factor, out=part)
                return
            do(np.subtract, middle, lines[piece], out=part)
            do(np.multiply, part, slope, out=part)
            do(np.subtract, part, shift, out=part)
            if counts is not None:
                do(np.multiply, part, counts[piece], out=part)
            do(np.add, part, arriving[piece], out=part)
            do(np.multiply, part, factor, out=part)

        read.each(finish, context, dy.dtype, do)
        return _back(dx, axis), gradients

    def learned(self, cache: Any) -> Mapping[str, Array]:
        """The moving averages after a batch."""
        mean, variance, learns = cache[4:7]
        if not learns:
            return {}
        keep = self.momentum
        return {
            name: self[name] * keep + new * (1 - keep)
            for name, new in (("moving_mean", mean), ("moving_variance", variance))
        }


Counted = tuple[Array | None, Array | int]
"""Which numbers count, as lines, or None for all; and how many in each channel."""


def _last(x: Array, axis: int, name: str, space: Workspace, do: Do) -> Array:
    """The channels last, without gaps; in a copy of that name if need be."""
    return without_gaps(np.moveaxis(x, axis, -1), f"{name} in lines", space, do)


def _back(x: Array, axis: int) -> Array:
    """The channels where they were."""
    return x if axis == x.ndim - 1 else np.moveaxis(x, -1, axis)


def _counted(x: Array, mask: Array | None, axis: int, space: Workspace, do: Do) -> Counted:
    if mask is None or mask.ndim >= x.ndim:
        return None, x.size // x.shape[axis]
    wide = mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))
    last = np.moveaxis(np.broadcast_to(wide, x.shape), axis, -1)
    counts = space.array("counts", last.shape, x.dtype)
    do(np.copyto, counts, last)
    read = channels_of(counts.shape)
    totals = space.array("totals", (read.channels,), x.dtype)
    do(np.add.reduce, counts.reshape(-1, read.channels), axis=0, out=totals)
    return read.lines(counts), totals


def _lay_moments(
    read: Channels, lines: Array, counted: Counted, context: Context, do: Do
) -> tuple[Array, Array]:
    """Mean and variance, (channels,) each.

    Those of each piece while it is in the cache, and from them those of all (Chan et al., 1979).
    """
    pieces, space, dtype = read.pieces, context.workspace, lines.dtype
    counts, total = counted
    sizes = _lay_sizes(read, counts, space, dtype, do)
    # Of each piece the mean, and the sum of the squared distances from it.
    found = space.array("moments of pieces", (2, len(pieces), read.channels), dtype)

    def find(number: int, spare: Array, do: Do) -> None:
        piece = pieces[number]
        part, middle, met = spare[:-1][: len(lines[piece])], spare[-1], lines[piece]
        mean, squares = found[:, number]
        if counts is not None:
            do(np.multiply, met, counts[piece], out=part)
        read.add(met if counts is None else part, mean, do)
        do(np.divide, mean, sizes[number], out=mean)
        read.line(mean, middle, do)
        do(np.subtract, met, middle, out=part)
        do(np.multiply, part, part, out=part)
        if counts is not None:
            do(np.multiply, part, counts[piece], out=part)
        read.add(part, squares, do)

    read.each(find, context, dtype, do)
    means, squares = found
    if len(pieces) == 1:
        do(np.divide, squares, total, out=squares)
        return means[0], squares[0]
    mean, variance = space.array("moments", (2, read.channels), dtype)
    spare = space.array("weighed", means.shape, dtype)
    do(np.multiply, means, sizes, out=spare)
    do(np.add.reduce, spare, axis=0, out=mean)
    do(np.divide, mean, total, out=mean)
    do(np.subtract, means, mean, out=means)
    do(np.multiply, means, means, out=means)
    do(np.multiply, means, sizes, out=means)
    do(np.add, squares, means, out=squares)
    do(np.add.reduce, squares, axis=0, out=variance)
    do(np.divide, variance, total, out=variance)
    return mean, variance


def _lay_sizes(read: Channels, counts: Array | None, space: Workspace, dtype: Any, do: Do) -> Array:
    """How many numbers each piece has of each channel, at least 1: (pieces, 1 or channels)."""
    if counts is None:
        return np.array([[(p.stop - p.start) * read.repeats] for p in read.pieces], dtype)
    sizes = space.array("sizes", (len(read.pieces), read.channels), dtype)
    for piece, size in zip(read.pieces, sizes, strict=True):
        do(np.add.reduce, counts[piece].reshape(-1, read.channels), axis=0, out=size)
    do(np.maximum, sizes, 1, out=sizes)
    return sizes
