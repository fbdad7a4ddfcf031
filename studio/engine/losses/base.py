"""What all losses have in common: the contract, the form of targets, weights, reduction."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from studio.engine.activations import Activation
from studio.engine.config import floatx
from studio.engine.errors import DataError, ShapeError
from studio.engine.params import Choice, Declared, Text
from studio.engine.plan import Do, as_arrays
from studio.engine.registry import Registry
from studio.engine.sums import add_all
from studio.engine.workspace import Array, Shape, Workspace

Kind = Literal["regression", "binary", "multiclass"]


class Reduction(Choice):
    """How the values of a batch become one number; Keras' other words for these three are taken."""

    def __init__(self) -> None:
        options = ("sum_over_batch_size", "sum", "none")
        text = "How the values of a batch become one number."
        super().__init__(options[0], options=options, advanced=True, help=text)

    def convert(self, value: Any) -> str:
        return super().convert("sum_over_batch_size" if value == "mean" else value)

    def checked(self, value: Any, where: str = "") -> str:
        return super().checked("none" if value is None else value, where)


class Loss(Declared):
    """How far predictions are from targets: one value per sample (and time step), and its gradient.

    ``kinds`` names the sorts of target that it is meant for, ``output`` the activation that
    predictions should end with where that is not the usual one for the kind. Called like a function
    it reduces the values to one number.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ()
    output: ClassVar[str | None] = None
    help: ClassVar[str] = ""

    reduction = Reduction()
    name = Text(None, optional=True, advanced=True, help="Its name.")

    @property
    def makes_mask(self) -> bool:
        """Whether :meth:`mask` leaves targets out."""
        return False

    def values(self, y: Array, p: Array) -> Array:
        """The loss of each sample, the last axis averaged or summed: (batch, …, n) → (batch, …)."""
        raise NotImplementedError

    def gradient(self, y: Array, p: Array) -> Array:
        """The derivative of each sample's loss by its predictions, in the shape of ``p``."""
        raise NotImplementedError

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        """Both at once, for losses whose parts they share."""
        return self.values(y, p), self.gradient(y, p)

    def lay(self, y: Array, p: Array, space: Workspace, do: Do) -> tuple[Array, Array]:
        """Have both found in every step, as layers lay out their work: see ``plan.py``."""
        values = space.array("values", p.shape[:-1], p.dtype)
        gradient = space.array("gradient", p.shape, p.dtype)
        do(self._find, y, p, values, gradient)
        return values, gradient

    def _find(self, y: Array, p: Array, values: Array, gradient: Array) -> None:
        found = self.values_and_gradient(y, p)
        np.copyto(values, found[0])
        np.copyto(gradient, found[1])

    def lay_sum(
        self, y: Array, p: Array, share: float, space: Workspace, do: Do
    ) -> tuple[Array, Array]:
        """Have the sum of the values found, (1,), and its gradient by ``p``, both times a share."""
        values, gradient = self.lay(y, p, space, do)
        scale(gradient, share, do)
        loss = space.array("loss", (1,), values.dtype)
        add_all(values, loss, do, share)
        return loss, gradient

    def mask(self, y: Array) -> Array | None:
        """Which targets count, in the shape of the values; None for all."""
        return None

    def fitted(self, y: Array, output_shape: Shape, where: str) -> Array:
        """Targets in the rank of an output of that shape.

        Raises:
            ShapeError: if their shape is another.
            DataError: if their values make no sense for this loss.
        """
        y = aligned(y, len(output_shape), output_shape[-1:] == (1,))
        fits = y.ndim == len(output_shape) and all(
            size is None or size == found for size, found in zip(output_shape, y.shape, strict=True)
        )
        if not fits:
            raise ShapeError(
                f"targets of the output's shape, {_per_sample(output_shape)}",
                _per_sample(y.shape),
                where,
                "Change the units of the last layer, or the form of the targets.",
            )
        self.check_values(y, where)
        return y

    def check_values(self, y: Array, where: str) -> None:
        """Find out whether the targets make sense.

        Raises:
            DataError: if not, naming the first row that does not.
        """

    def on_logits(self, activation: Activation | None) -> Loss | None:
        """The same loss of the numbers before ``activation``, where it has a stabler form."""
        return None

    def weighed(
        self, values: Array, y: Array, weight: Array | None, mask: Array | None = None
    ) -> tuple[Array, Array | None]:
        """Values times sample weights and masks, and the factors themselves; see :func:`weigh`."""
        own = self.mask(y)
        if own is not None:
            mask = own if mask is None else mask & own
        return weigh(values, weight, mask, self.averages)

    @property
    def averages(self) -> bool:
        """Whether values become their mean, and not their sum."""
        return self.reduction == "sum_over_batch_size"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss of a batch.

        Raises:
            ShapeError: if targets and predictions do not fit each other.
            DataError: if the targets make no sense for this loss.
        """
        p = floats(y_pred)
        y = self.fitted(floats(y_true).astype(p.dtype), p.shape, type(self).__name__)
        weight = None if sample_weight is None else np.asarray(sample_weight, p.dtype)
        values = self.values(y, p)
        values, _ = self.weighed(values, y, weight)
        if self.reduction == "none":
            return values
        return values.sum() / (values.size if self.averages else 1)


losses: Registry[Loss] = Registry("a loss", Loss)


def floats(values: Any) -> Array:
    """An array of floating-point numbers; whole ones become the default number type."""
    array = np.asarray(values)
    return array if array.dtype.kind == "f" else array.astype(floatx())


def aligned(y: Array, rank: int, widen: bool) -> Array:
    """Targets in a rank: Keras lets (batch,) stand for (batch, 1), and the other way round."""
    if y.ndim == rank - 1 and widen:
        return y[..., None]
    if y.ndim == rank + 1 and y.shape[-1] == 1:
        return y[..., 0]
    return y


def scale(gradient: Array, share: float, do: Do) -> None:
    """Have a gradient multiplied, in place."""
    if share != 1:
        do(np.multiply, gradient, *as_arrays(share, dtype=gradient.dtype), out=gradient)


def spread(weight: Array, values: Array) -> Array:
    """Sample weights in the rank of the values."""
    if weight.ndim > values.ndim and weight.shape[-1] == 1:
        weight = weight[..., 0]
    return weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))


def weigh(
    values: Array, weight: Array | None, mask: Array | None, averaged: bool
) -> tuple[Array, Array | None]:
    """Values times sample weights and mask, and the factors themselves; as Keras weighs them.

    Where the values are going to be averaged, a mask counts as weights that are scaled so that the
    mean of the values that count comes out.
    """
    factor: Array | None = None if weight is None else spread(weight, values)
    if mask is not None and mask.shape == values.shape:
        counted = mask.astype(values.dtype)
        if averaged:
            counted *= mask.size / max(1, int(mask.sum()))
        factor = counted if factor is None else factor * counted
    if factor is None:
        return values, None
    factor = np.broadcast_to(factor, values.shape)
    return values * factor, factor


def check_each(y: Array, good: Array, expected: str, where: str, advice: str = "") -> None:
    """Find out whether all targets are good.

    Raises:
        DataError: if not, with the first bad one and its row.
    """
    if good.all():
        return
    row = int(np.argmin(good.reshape(len(good), -1).all(axis=1))) if good.ndim else 0
    bad = y[row][~good[row]].flat[0] if good.ndim > 1 else y.reshape(-1)[row]
    raise DataError(expected, f"{bad:g} in row {row}", where, advice)


def _per_sample(shape: Shape) -> str:
    return " × ".join(map(str, shape[1:])) + " per sample" if shape[1:] else "one number per sample"
