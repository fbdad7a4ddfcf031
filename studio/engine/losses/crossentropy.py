"""Losses for classes (https://keras.io/api/losses/probabilistic_losses/).

Each takes probabilities or, with ``from_logits``, the numbers before sigmoid or softmax. The second
form loses no digits and never clips, so training uses it where the output ends with that function.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from studio.engine.activations import Activation, Sigmoid, Softmax
from studio.engine.config import epsilon
from studio.engine.losses.base import Loss, aligned, check_each, losses
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do, as_arrays, at_once
from studio.engine.sums import add_columns, average_columns, fold, sum_columns
from studio.engine.workspace import Array, Shape, Workspace

CLASSES = "Sparse categorical crossentropy takes class numbers, this loss takes one-hot targets."


class FromLogits(Loss):
    """A loss of probabilities, or of the logits before them."""

    activation: type[Activation] = Sigmoid
    """What makes probabilities of logits."""

    from_logits = Boolean(False, advanced=True, help="Whether predictions are logits.")

    def on_logits(self, activation: Activation | None) -> Self | None:
        if self.from_logits or type(activation) is not self.activation:
            return None
        if activation != self.activation():
            return None
        return type(self).from_config({**self.get_config(), "from_logits": True})


class Smoothed(FromLogits):
    """A loss whose targets may be moved towards uniform."""

    from_logits = FromLogits.params["from_logits"]
    label_smoothing = Real(0.0, minimum=0, maximum=1, advanced=True,
                           help="How far targets are moved towards uniform.")  # fmt: skip
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True,
                   help="Where the classes are; only the last axis is known here.")  # fmt: skip

    def check_values(self, y: Array, where: str) -> None:
        check_each(y, (y >= 0) & (y <= 1), "targets from 0 to 1", where)

    def smooth(self, y: Array, out: Array | None = None) -> Array:
        """y · (1 - s) + s / n; two classes share one number, so that n is 2 there."""
        if not self.label_smoothing:
            return y
        classes = 2 if self.activation is Sigmoid else y.shape[-1]
        smoothed = np.multiply(y, 1 - self.label_smoothing, out=out)
        smoothed += self.label_smoothing / classes
        return smoothed

    def lay_smooth(self, y: Array, space: Workspace, do: Do) -> Array:
        """Have the targets moved, where they are to be."""
        if not self.label_smoothing:
            return y
        smoothed = space.array("smoothed", y.shape, y.dtype)
        do(self.smooth, y, smoothed)
        return smoothed


@losses.register("bce", "BCE")
class BinaryCrossentropy(Smoothed):
    """-mean(y · log p + (1 - y) · log(1 - p)); of logits max(z, 0) - z · y + log(1 + exp(-|z|))."""

    kinds = ("binary",)
    help = "For two classes, one output with sigmoid."

    def values(self, y: Array, p: Array) -> Array:
        return binary(self.smooth(y), p, self.from_logits).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        if self.from_logits:
            return self.values_and_gradient(y, p)[1]
        y, q, share = self.smooth(y), clip(p), p.dtype.type(1 / p.shape[-1])
        return (q - y) / (q * (1 - q)) * (unclipped(p) * share)

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        if self.from_logits:
            # An exponential that is too large for a number makes the 0 that it should.
            with np.errstate(over="ignore"):
                return self.lay(y, p, Workspace(), at_once)
        return super().values_and_gradient(y, p)

    def lay(self, y: Array, p: Array, space: Workspace, do: Do) -> tuple[Array, Array]:
        if not self.from_logits:
            return super().lay(y, p, space, do)
        y = self.lay_smooth(y, space, do)
        values = space.array("values", p.shape[:-1], p.dtype)
        gradient = space.array("gradient", p.shape, p.dtype)
        each = space.array("each", p.shape, p.dtype)
        lay_binary(y, p, each, gradient, do)
        average_columns(each, values[..., None], do)
        # Of the values by p: (σ(p) - y) / n.
        Sigmoid().lay(p, gradient, do)
        do(np.subtract, gradient, y, out=gradient)
        if p.shape[-1] > 1:
            do(np.multiply, gradient, *as_arrays(1 / p.shape[-1], dtype=p.dtype), out=gradient)
        return values, gradient


@losses.register("cce")
class CategoricalCrossentropy(Smoothed):
    """-Σ y · log p over the classes, p normalised; of logits z: -Σ y · log_softmax(z)."""

    kinds = ("multiclass",)
    activation = Softmax
    help = "For several classes, one output each with softmax."

    def fitted(self, y: Array, output_shape: Shape, where: str) -> Array:
        return one_hot_fitted(self, y, output_shape, where)

    def values(self, y: Array, p: Array) -> Array:
        return -(self.smooth(y) * log_shares(p, self.from_logits)).sum(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        if self.from_logits:
            return self.lay(y, p, Workspace(), at_once)
        y = self.smooth(y)
        logs = log_shares(p, from_logits=False)
        return -np.vecdot(y, logs), through_shares(-y / np.exp(logs), p)

    def lay(self, y: Array, p: Array, space: Workspace, do: Do) -> tuple[Array, Array]:
        if not self.from_logits:
            return super().lay(y, p, space, do)
        y = self.lay_smooth(y, space, do)
        values = space.array("values", p.shape[:-1], p.dtype)
        logs = lay_log_softmax(p, space, do)
        shares = space.array("shares", p.shape, p.dtype)
        do(np.multiply, y, logs, out=shares)
        add_columns(shares, values[..., None], do, -1)
        # Of the values by p: softmax(p) · Σ y - y.
        do(np.exp, logs, out=logs)
        total = sum_columns(y, "total", space, do)
        do(np.multiply, logs, total, out=logs)
        do(np.subtract, logs, y, out=logs)
        return values, logs

    def lay_sum(
        self, y: Array, p: Array, share: float, space: Workspace, do: Do
    ) -> tuple[Array, Array]:
        if not self.from_logits:
            return super().lay_sum(y, p, share, space, do)
        # As above, with -share · y in the place of y.
        y = self.lay_smooth(y, space, do)
        aims = space.array("aims", y.shape, y.dtype)
        do(np.multiply, y, *as_arrays(-share, dtype=y.dtype), out=aims)
        logs = lay_log_softmax(p, space, do)
        loss = space.array("loss", (1,), p.dtype)
        do(aims.reshape(1, -1).dot, logs.reshape(-1, 1), loss.reshape(1, 1))
        do(np.exp, logs, out=logs)
        total = sum_columns(aims, "total", space, do, -1)
        do(np.multiply, logs, total, out=logs)
        do(np.add, logs, aims, out=logs)
        return loss, logs


@losses.register("kld", "KLD")
class KLDivergence(Loss):
    """Σ y · log(y / p), with y and p from ε to 1: how much p misses of the distribution y."""

    kinds = ("multiclass",)
    help = "For targets that are probabilities of several classes, one output each with softmax."

    def check_values(self, y: Array, where: str) -> None:
        check_each(y, (y >= 0) & (y <= 1), "probabilities from 0 to 1", where)

    def values(self, y: Array, p: Array) -> Array:
        y, p = np.clip(y, epsilon(), 1), np.clip(p, epsilon(), 1)
        return (y * np.log(y / p)).sum(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        inside = (p >= epsilon()) & (p <= 1)
        return -np.clip(y, epsilon(), 1) / np.clip(p, epsilon(), 1) * inside


def one_hot_fitted(loss: Loss, y: Array, output_shape: Shape, where: str) -> Array:
    """Targets for several classes, with advice where class numbers were given.

    Raises:
        ShapeError: if their shape is not that of the output.
        DataError: if their values make no sense.
    """
    try:
        return Loss.fitted(loss, y, output_shape, where)
    except ValueError as error:
        if aligned(y, len(output_shape) - 1, False).ndim == len(output_shape) - 1:
            error.advice = CLASSES  # pyright: ignore[reportAttributeAccessIssue]
        raise


def binary(y: Array, p: Array, from_logits: bool) -> Array:
    """The binary cross-entropy of each number."""
    if from_logits:
        each = np.empty_like(p)
        lay_binary(y, p, each, np.empty_like(p), at_once)
        return each
    p = clip(p)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def lay_binary(y: Array, z: Array, out: Array, spare: Array, do: Do) -> None:
    """Have max(z, 0) - z · y + log(1 + exp(-|z|)) of each number found."""
    do(np.abs, z, out=out)
    do(np.negative, out, out=out)
    do(np.exp, out, out=out)
    do(np.log1p, out, out=out)
    do(np.maximum, z, *as_arrays(0, dtype=z.dtype), out=spare)
    do(np.add, out, spare, out=out)
    do(np.multiply, z, y, out=spare)
    do(np.subtract, out, spare, out=out)


def log_shares(p: Array, from_logits: bool) -> Array:
    """Logarithms of normalised probabilities: of log_softmax(z), or of p / Σ p from ε to 1 - ε."""
    if not from_logits:
        return np.log(clip(p / p.sum(axis=-1, keepdims=True)))
    return lay_log_softmax(p, Workspace(), at_once)


def lay_log_softmax(z: Array, space: Workspace, do: Do) -> Array:
    """Have z - log Σ exp(z) found along the last axis, shifted by max(z), which can't overflow."""
    logs = space.array("gradient", z.shape, z.dtype)
    shares = space.array("shares", z.shape, z.dtype)
    line = space.array("line", (*z.shape[:-1], 1), z.dtype)
    fold(np.fmax, z, line, do)
    do(np.subtract, z, line, out=logs)
    do(np.exp, logs, out=shares)
    total = sum_columns(shares, "total", space, do)
    do(np.log, total, out=total)
    do(np.subtract, logs, total, out=logs)
    return logs


def through_shares(gradient: Array, p: Array) -> Array:
    """The gradient by p from that by its clipped shares p / Σ p."""
    total = p.sum(axis=-1, keepdims=True)
    share = p / total
    gradient = gradient * unclipped(share)
    gradient -= (gradient * share).sum(axis=-1, keepdims=True)
    gradient /= total
    return gradient


def clip(p: Array) -> Array:
    """Probabilities from ε to 1 - ε."""
    return np.clip(p, epsilon(), 1 - epsilon())


def unclipped(p: Array) -> Array:
    """Where :func:`clip` leaves a number alone."""
    return (p >= p.dtype.type(epsilon())) & (p <= p.dtype.type(1 - epsilon()))
