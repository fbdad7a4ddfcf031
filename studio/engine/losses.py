"""Loss functions and their gradients (https://keras.io/api/losses/)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from studio.engine.activations import Activation, Sigmoid, Softmax
from studio.engine.config import epsilon
from studio.engine.errors import ShapeError
from studio.engine.params import Boolean, Choice, Declared, Real
from studio.engine.registry import Registry
from studio.engine.workspace import Array, Shape

Kind = Literal["regression", "binary", "multiclass"]


class Loss(Declared):
    """How far predictions are from targets: one value per sample (and time step), and its gradient.

    ``kinds`` names the sorts of target that it is meant for. Called like a function it reduces the
    values to one number.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ()
    help: ClassVar[str] = ""

    reduction = Choice(
        "sum_over_batch_size",
        options=("sum_over_batch_size", "sum", "none"),
        advanced=True,
        help="How the values of a batch become one number.",
    )

    def values(self, y: Array, p: Array) -> Array:
        """The loss of each sample, the last axis averaged or summed: (batch, …, n) → (batch, …)."""
        raise NotImplementedError

    def gradient(self, y: Array, p: Array) -> Array:
        """The derivative of each sample's loss by its predictions, in the shape of ``p``."""
        raise NotImplementedError

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        """Both at once, for losses whose parts they share."""
        return self.values(y, p), self.gradient(y, p)

    def fitted(self, y: Array, output_shape: Shape, where: str) -> Array:
        """Targets in the rank of an output of that shape.

        Raises:
            ShapeError: if their shape is another.
            DataError: if their values make no sense for this loss.
        """
        rank = len(output_shape)
        if y.ndim == rank - 1 and output_shape[-1] == 1:
            y = y[..., None]
        elif y.ndim == rank + 1 and y.shape[-1] == 1:
            y = y[..., 0]
        fits = y.ndim == rank and all(
            size is None or size == found
            for size, found in zip(output_shape[1:], y.shape[1:], strict=True)
        )
        if not fits:
            raise ShapeError(
                f"targets of the output's shape, {'×'.join(map(str, output_shape[1:]))} per sample",
                "×".join(map(str, y.shape[1:])) or "one number per sample",
                where,
                "Change the units of the last layer, or the form of the targets.",
            )
        return y

    def on_logits(self, activation: Activation | None) -> Loss | None:
        """The same loss of the numbers before ``activation``, where it has a stabler form."""
        return None

    def count(self, values: Array) -> float:
        """What the sum of weighted values is divided by."""
        return values.size if self.reduction == "sum_over_batch_size" else 1

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss of a batch."""
        p = np.asarray(y_pred)
        values = self.values(aligned(np.asarray(y_true), p), p)
        if sample_weight is not None:
            values = values * spread(np.asarray(sample_weight), values)
        return values if self.reduction == "none" else values.sum() / self.count(values)


losses: Registry[Loss] = Registry("a loss", Loss)


def aligned(y: Array, p: Array) -> Array:
    """Targets in the rank of the predictions: Keras lets (batch,) stand for (batch, 1)."""
    if y.ndim == p.ndim - 1 and p.shape[-1] == 1:
        return y[..., None]
    if y.ndim == p.ndim + 1 and y.shape[-1] == 1:
        return y[..., 0]
    return y


def spread(weight: Array, values: Array) -> Array:
    """Sample weights in the rank of the values."""
    if weight.ndim > values.ndim and weight.shape[-1] == 1:
        weight = weight[..., 0]
    return weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))


@losses.register("mse", "MSE")
class MeanSquaredError(Loss):
    """mean((p - y)²)."""

    kinds = ("regression",)
    help = "The mean of squared differences; the usual choice for regression."

    def values(self, y: Array, p: Array) -> Array:
        return np.square(p - y).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return (p - y) * p.dtype.type(2 / p.shape[-1])


@losses.register("mae", "MAE")
class MeanAbsoluteError(Loss):
    """mean(|p - y|)."""

    kinds = ("regression",)
    help = "The mean of absolute differences; outliers weigh less."

    def values(self, y: Array, p: Array) -> Array:
        return np.abs(p - y).mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return np.sign(p - y) * p.dtype.type(1 / p.shape[-1])


class _Crossentropy(Loss):
    from_logits = Boolean(False, advanced=True, help="Whether predictions are logits.")
    label_smoothing = Real(0.0, minimum=0, maximum=1, advanced=True,
                           help="How far targets are moved towards uniform.")  # fmt: skip

    def _with_logits(self) -> Loss:
        return type(self).from_config({**self.get_config(), "from_logits": True})


@losses.register("bce", "BCE")
class BinaryCrossentropy(_Crossentropy):
    """-mean(y · log p + (1 - y) · log(1 - p)); of logits z: max(z, 0) - z · y + log(1 + exp(-|z|))."""

    kinds = ("binary",)
    help = "For two classes, one output with sigmoid."

    def _smooth(self, y: Array) -> Array:
        return y * (1 - self.label_smoothing) + 0.5 * self.label_smoothing if self.label_smoothing else y  # fmt: skip

    def values(self, y: Array, p: Array) -> Array:
        y = self._smooth(y)
        if self.from_logits:
            each = np.maximum(p, 0) - p * y + np.log1p(np.exp(-np.abs(p)))
        else:
            p = np.clip(p, epsilon(), 1 - epsilon())
            each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
        return each.mean(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        y = self._smooth(y)
        share = p.dtype.type(1 / p.shape[-1])
        if self.from_logits:
            return (Sigmoid().forward(p) - y) * share
        inside = (p >= epsilon()) & (p <= 1 - epsilon())
        p = np.clip(p, epsilon(), 1 - epsilon())
        return (p - y) / (p * (1 - p)) * inside * share

    def on_logits(self, activation: Activation | None) -> Loss | None:
        return self._with_logits() if isinstance(activation, Sigmoid) and not self.from_logits else None  # fmt: skip


@losses.register("cce")
class CategoricalCrossentropy(_Crossentropy):
    """-Σ y · log p over the classes, p normalised; of logits z: -Σ y · log_softmax(z)."""

    kinds = ("multiclass",)
    help = "For several classes, one output each with softmax."

    def _smooth(self, y: Array) -> Array:
        if not self.label_smoothing:
            return y
        return y * (1 - self.label_smoothing) + self.label_smoothing / y.shape[-1]

    def values(self, y: Array, p: Array) -> Array:
        y = self._smooth(y)
        if self.from_logits:
            return -(y * log_softmax(p)).sum(axis=-1)
        p = p / p.sum(axis=-1, keepdims=True)
        return -(y * np.log(np.clip(p, epsilon(), 1 - epsilon()))).sum(axis=-1)

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        y = self._smooth(y)
        if self.from_logits:
            logs = log_softmax(p)
            gradient = np.exp(logs)
            gradient *= y.sum(axis=-1, keepdims=True)
            gradient -= y
            return -(y * logs).sum(axis=-1), gradient
        total = p.sum(axis=-1, keepdims=True)
        share = p / total
        inside = (share >= epsilon()) & (share <= 1 - epsilon())
        clipped = np.clip(share, epsilon(), 1 - epsilon())
        dshare = np.where(inside, -y / clipped, 0).astype(p.dtype)
        gradient = (dshare - (dshare * share).sum(axis=-1, keepdims=True)) / total
        return -(y * np.log(clipped)).sum(axis=-1), gradient

    def on_logits(self, activation: Activation | None) -> Loss | None:
        return self._with_logits() if isinstance(activation, Softmax) and not self.from_logits else None  # fmt: skip


def log_softmax(z: Array) -> Array:
    """z - log Σ exp(z) along the last axis, shifted by max(z), which does not overflow."""
    shifted = z - z.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted
