"""Normalization by the moments of a batch; and what all normalizations end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, known, register
from studio.engine.layers.channels import Channels, channels_of
from studio.engine.params import Boolean, Integer, Real
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape, Threads


def axis_of(layer: Layer, axis: int, rank: int) -> int:
    """The axis, counted from the front.

    Raises:
        ShapeError: if a sample has none of that number.
    """
    found = axis + rank if axis < 0 else axis
    if not 1 <= found < rank:
        wanted = f"an input that has an axis {axis}"
        raise ShapeError(wanted, f"{rank - 1} dimensions per sample", layer.label)
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

    def affine_gradients(self, context: Context, gamma: Array, beta: Array) -> dict[str, Array]:
        """The gradients of those that it has."""
        found: dict[str, Array] = {}
        for name, wanted, values in (("gamma", self.scale, gamma), ("beta", self.center, beta)):
            if wanted:
                found[name] = context.gradient(name, self[name])
                np.copyto(found[name], values.reshape(found[name].shape))
        return found


@register()
class BatchNormalization(Affine):
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

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """By the batch's own mean and variance in training, else by the moving ones."""
        axis, space, threads = self._axis(x.ndim), context.workspace, context.threads
        learns = context.training and self.trainable
        counted = _counted(x, context.mask, axis) if learns else None
        x = _last(x, axis)
        read, y = channels_of(x.shape), space.array("y", x.shape, x.dtype)
        lines, out = read.lines(x), read.lines(y)
        mean, variance = self["moving_mean"], self["moving_variance"]
        if learns:
            mean, variance = _moments(read, lines, out, counted, threads)
        scale = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        middle = read.line(mean)
        factor = read.line(scale * self.factor)
        shift = read.line(self["beta"]) if self.center else None

        def finish(piece: slice) -> None:
            part = np.subtract(lines[piece], middle, out=out[piece])
            np.multiply(part, factor, out=part)
            if shift is not None:
                np.add(part, shift, out=part)

        read.each(finish, threads)
        return _back(y, axis), (x, scale, learns, mean, variance, counted)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """dx = gamma · scale · (dy - mean(dy) - n · mean(n · dy)), n = (x - mean) · scale.

        The batch's mean and variance depend on each sample too, on those that count.
        """
        x, scale, learns, mean, _, counted = cache
        axis, threads = self._axis(dy.ndim), context.threads
        dy = _last(dy, axis)
        read, dx = channels_of(dy.shape), context.workspace.array("dx", dy.shape, dy.dtype)
        lines, arriving, out = read.lines(x), read.lines(dy), read.lines(dx)
        middle = read.line(mean)

        def add(piece: slice, sums: Array) -> None:
            read.add(arriving[piece], sums[0])
            part = np.subtract(lines[piece], middle, out=out[piece])
            read.add(np.multiply(part, arriving[piece], out=part), sums[1])

        plain, along = read.sums(add, 2, threads, dy.dtype)
        gradients = self.affine_gradients(context, scale * along, plain)
        if not context.needs_input_gradient:
            return None, gradients
        factor = read.line(scale * self.factor)
        total = read.rows if counted is None else counted[1]
        slope, shift = (read.line(v / total) for v in (scale * scale * along, plain))

        def finish(piece: slice) -> None:
            part = out[piece]
            if not learns:
                np.multiply(arriving[piece], factor, out=part)
                return
            np.subtract(middle, lines[piece], out=part)
            np.multiply(part, slope, out=part)
            np.subtract(part, shift, out=part)
            if counted is not None:
                np.multiply(part, counted[0][piece], out=part)
            np.add(part, arriving[piece], out=part)
            np.multiply(part, factor, out=part)

        read.each(finish, threads)
        return _back(dx, axis), gradients

    def learned(self, cache: Any) -> Mapping[str, Array]:
        """The moving averages after a batch."""
        _, _, learns, mean, variance, _ = cache
        if not learns:
            return {}
        keep = self.momentum
        return {
            name: self[name] * keep + new * (1 - keep)
            for name, new in (("moving_mean", mean), ("moving_variance", variance))
        }


Counted = tuple[Array, Array]
"""Which numbers count, as lines, and how many in each channel."""


def _last(x: Array, axis: int) -> Array:
    """The channels last, without gaps."""
    return np.ascontiguousarray(x if axis == x.ndim - 1 else np.moveaxis(x, axis, -1))


def _back(x: Array, axis: int) -> Array:
    """The channels where they were."""
    return x if axis == x.ndim - 1 else np.moveaxis(x, -1, axis)


def _counted(x: Array, mask: Array | None, axis: int) -> Counted | None:
    if mask is None or mask.ndim >= x.ndim:
        return None
    wide = mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))
    counts = _last(np.broadcast_to(wide, x.shape), axis).astype(x.dtype)
    totals = counts.reshape(-1, counts.shape[-1]).sum(axis=0)
    return channels_of(counts.shape).lines(counts), totals


def _moments(
    read: Channels, lines: Array, spare: Array, counted: Counted | None, threads: Threads
) -> tuple[Array, Array]:
    """Mean and variance, (channels,) each; ``spare`` is overwritten."""
    counts, total = (None, read.rows) if counted is None else counted

    def add(piece: slice, sums: Array) -> None:
        part = lines[piece]
        if counts is not None:
            part = np.multiply(part, counts[piece], out=spare[piece])
        read.add(part, sums[0])

    mean = read.sums(add, 1, threads, lines.dtype)[0] / total
    middle = read.line(mean)

    def square(piece: slice, sums: Array) -> None:
        part = np.subtract(lines[piece], middle, out=spare[piece])
        np.multiply(part, part, out=part)
        if counts is not None:
            np.multiply(part, counts[piece], out=part)
        read.add(part, sums[0])

    return mean, read.sums(square, 1, threads, lines.dtype)[0] / total
