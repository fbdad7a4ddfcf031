"""The normalization by groups of channels of each sample."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import ParameterError, ShapeError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, WeightSpec, known, register
from studio.engine.layers.channels import PIECE, channels_of
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.normalization import Affine
from studio.engine.layers.planned import Planned
from studio.engine.layers.windows import batches
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do, as_arrays
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.sums import add_rows
from studio.engine.workspace import Array, Context, Shape


class Groups(NamedTuple):
    """The channels of some samples, (batch, channels), in groups.

    Attributes:
        groups: how many groups there are.
        size: how many channels a group has.
        numbers: how many numbers of a sample.
    """

    groups: int
    size: int
    numbers: int

    def of(self, channels: Array) -> Array:
        """(batch, channels) as (batch, groups, size)."""
        return channels.reshape(-1, self.groups, self.size)

    def lay_mean(self, sums: Array, mean: Array, do: Do) -> None:
        """The mean of each group, (batch, groups), from the sums of its channels."""
        (numbers,) = as_arrays(self.numbers, dtype=mean.dtype)
        do(np.add.reduce, self.of(sums), axis=2, out=mean)
        do(np.divide, mean, numbers, out=mean)

    def lay_channels(self, values: Array, factors: Array | int, channels: Array, do: Do) -> None:
        """A number per group, (batch, groups), times one per channel."""
        factors = factors if isinstance(factors, int) else self.of(factors)
        do(np.multiply, values[:, :, None], factors, out=self.of(channels))


@register()
class GroupNormalization(Affine, Planned):
    """y = gamma · (x - mean) / sqrt(variance + ε) + beta, over groups of channels of each sample.

    Input shape: any with channels last. Output shape: the same.
    Source: Wu and He, 2018; https://keras.io/api/layers/normalization_layers/group_normalization/
    """

    help = "Keeps the numbers of each group of channels at a steady size."

    groups = Integer(
        32, minimum=-1, initial=4, label="Groups", help="How many; -1 for one per channel."
    )
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True, help="The channels are last here.")
    epsilon = Real(1e-3, above=0, advanced=True, help="Keeps the division finite.")
    center = Boolean(True, label="Center", help="Whether a learned number is added.")
    scale = Boolean(True, label="Scale", help="Whether a learned number is multiplied.")
    beta_initializer = Named(initializers, "zeros", advanced=True)
    gamma_initializer = Named(initializers, "ones", advanced=True)
    beta_regularizer = Named(regularizers, None, optional=True, advanced=True)
    gamma_regularizer = Named(regularizers, None, optional=True, advanced=True)
    beta_constraint = Named(constraints, None, optional=True, advanced=True)
    gamma_constraint = Named(constraints, None, optional=True, advanced=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.groups == 0:
            raise ParameterError("a number of groups, or -1", "0", f"{self.label} groups")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        channels = known(input_shape[-1], self, "number of channels")
        if self.groups != -1 and channels % self.groups:
            raise ShapeError(
                f"channels divisible by groups={self.groups}", str(channels), self.label
            )
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """gamma and beta, each (channels,)."""
        return self.affine_specs((known(input_shape[-1], self, "number of channels"),))

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """y = n · scale · gamma + beta, n = x - mean; mean and scale are those of a group."""
        space, read, groups = context.workspace, channels_of(x.shape[1:]), self._groups(x.shape)
        lines = _lines(without_gaps(x, "x", space, do))
        n, y = (space.array(name, lines.shape, x.dtype) for name in ("n", "y"))
        line, channels, mean, scale = (
            space.array(name, (len(x), size), x.dtype)
            for name, size in (
                ("line", lines.shape[2]), ("channels", read.channels),
                ("mean", groups.groups), ("scale", groups.groups),
            )
        )  # fmt: skip
        one, epsilon = as_arrays(1, self.epsilon, dtype=x.dtype)
        beta = None
        if self.center:
            beta = read.line(self["beta"], space.array("beta line", line.shape[1:], x.dtype), do)
        for some in _cuts(lines):
            own, each, few, factor = n[some], line[some], channels[some], scale[some]
            do(np.add.reduce, lines[some], axis=1, out=each)
            _lay_sums(each, few, do)
            groups.lay_mean(few, mean[some], do)
            groups.lay_channels(mean[some], 1, few, do)
            read.line(few, each, do)
            do(np.subtract, lines[some], each[:, None], out=own)
            do(np.einsum, "blx,blx->bx", own, own, out=each)
            _lay_sums(each, few, do)
            groups.lay_mean(few, factor, do)
            do(np.add, factor, epsilon, out=factor)
            do(np.sqrt, factor, out=factor)
            do(np.divide, one, factor, out=factor)
            groups.lay_channels(factor, self.factor, few, do)
            read.line(few, each, do)
            do(np.multiply, own, each[:, None], out=y[some])
            if beta is not None:
                do(np.add, y[some], beta, out=y[some])
        return y.reshape(x.shape), (n, scale)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dx = scale · (dn - mean(dn) - n · scale² · mean(n · dn)) with dn = gamma · dy.

        Mean and variance depend on each number of the group too.
        """
        n, scale = cache
        space, read, groups = context.workspace, channels_of(dy.shape[1:]), self._groups(dy.shape)
        lines = _lines(without_gaps(dy, "dy", space, do))
        dx = space.array("dx", n.shape, dy.dtype)
        line = space.array("line", (len(dy), n.shape[2]), dy.dtype)
        plain, along, channels = (
            space.array(name, (len(dy), read.channels), dy.dtype)
            for name in ("plain", "along", "channels")
        )
        mean, cube = (space.array(name, scale.shape, dy.dtype) for name in ("mean", "cube"))
        do(np.multiply, scale, scale, out=cube)
        do(np.multiply, cube, scale, out=cube)
        cuts = _cuts(lines)
        spare = context.scratch.array("spare", (cuts[0].stop, *n.shape[1:]), dy.dtype)
        for some in cuts:
            came, own, into, each, few = lines[some], n[some], dx[some], line[some], channels[some]
            do(np.add.reduce, came, axis=1, out=each)
            _lay_sums(each, plain[some], do)
            do(np.einsum, "blx,blx->bx", own, came, out=each)
            _lay_sums(each, along[some], do)
            groups.lay_channels(scale[some], self.factor, few, do)
            read.line(few, each, do)
            do(np.multiply, came, each[:, None], out=into)
            for sums, factor in ((along, cube), (plain, scale)):
                do(np.multiply, sums[some], self.factor, out=few)
                groups.lay_mean(few, mean[some], do)
                do(np.multiply, mean[some], factor[some], out=mean[some])
                groups.lay_channels(mean[some], 1, few, do)
                taken = read.line(few, each, do)[:, None]
                if sums is along:
                    do(np.multiply, own, taken, out=spare[: len(own)])
                    taken = spare[: len(own)]
                do(np.subtract, into, taken, out=into)
        groups.lay_channels(scale, 1, channels, do)
        do(np.multiply, along, channels, out=along)
        total = space.array("total", (2, read.channels), dy.dtype)
        for sums, into in zip((along, plain), total, strict=True):
            add_rows(sums, into, do)
        return dx.reshape(dy.shape), self.affine_gradients(context, total[0], total[1], do)

    def _groups(self, shape: tuple[int, ...]) -> Groups:
        read = channels_of(shape[1:])
        groups = read.channels if self.groups == -1 else self.groups
        size = read.channels // groups
        return Groups(groups, size, read.rows * size)


def _lines(x: Array) -> Array:
    """(batch, lines, numbers of a line), see ``channels.py``."""
    read = channels_of(x.shape[1:])
    return x.reshape(len(x), -1, read.repeats * read.channels)


def _cuts(lines: Array) -> list[slice]:
    """So many samples at a time as stay in the cache."""
    return batches(len(lines), PIECE // lines[0].size)


def _lay_sums(line: Array, channels: Array, do: Do) -> None:
    """The sum of each channel, (batch, channels), from one line per sample."""
    do(np.add.reduce, line.reshape(len(line), -1, channels.shape[1]), axis=1, out=channels)
