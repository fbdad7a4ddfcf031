"""How often predictions are right (https://keras.io/api/metrics/accuracy_metrics/)."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.losses import aligned
from studio.engine.metrics.base import MeanMetric, metrics
from studio.engine.params import Boolean, Integer, Real
from studio.engine.workspace import Array


@metrics.register()
class Accuracy(MeanMetric):
    """How often a prediction equals the target."""

    direction = "up"
    help = "How often the prediction is exactly the target."

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.paired(y_true, y_pred)
        return y == p


@metrics.register()
class BinaryAccuracy(MeanMetric):
    """How often a prediction is on the side of ``threshold`` that the target, 0 or 1, says."""

    kinds = ("binary",)
    direction = "up"
    help = "How often the more probable of two classes is the true one."

    name = MeanMetric.params["name"]
    threshold = Real(0.5, minimum=0, maximum=1, help="Above it a prediction counts as 1.")

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.paired(y_true, y_pred)
        return (p > self.threshold) == y


@metrics.register()
class CategoricalAccuracy(MeanMetric):
    """How often the class with the highest prediction is the true one; targets one-hot."""

    kinds = ("multiclass",)
    direction = "up"
    help = "How often the most probable class is the true one."

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.paired(y_true, y_pred)
        return y.argmax(axis=-1) == p.argmax(axis=-1)


class _Numbered(MeanMetric):
    direction = "up"

    def numbered(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Class numbers as targets, in the rank of the predictions without their last axis.

        Raises:
            ShapeError: if they have other shapes.
        """
        p = np.asarray(y_pred)
        y = aligned(np.asarray(y_true), p.ndim - 1, widen=False)
        if y.shape != p.shape[:-1]:
            raise self.misfit(y, p.shape[:-1])
        return y, p


@metrics.register()
class SparseCategoricalAccuracy(_Numbered):
    """How often the class with the highest prediction is the true one; targets class numbers."""

    help = "How often the most probable class is the true one, for class numbers."

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.numbered(y_true, y_pred)
        return y == p.argmax(axis=-1)


@metrics.register()
class TopKCategoricalAccuracy(MeanMetric):
    """How often the true class is among the ``k`` with the highest predictions; targets one-hot."""

    kinds = ("multiclass",)
    direction = "up"
    help = "How often the true class is among the k most probable ones."

    k = Integer(5, minimum=1, help="How many classes count.")

    def fitting(self, outputs: int) -> dict[str, Any]:
        # Among all classes the true one always is.
        return {"k": outputs - 1} if self.k >= outputs > 1 else {}

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.paired(y_true, y_pred)
        return among_highest(y.argmax(axis=-1), p, self.k)


@metrics.register()
class SparseTopKCategoricalAccuracy(_Numbered):
    """As TopKCategoricalAccuracy; targets class numbers.

    With ``from_sorted_ids`` the predictions are class numbers, the most probable first.
    """

    help = "How often the true class is among the k most probable ones, for class numbers."

    k = Integer(5, minimum=1, help="How many classes count.")
    name = MeanMetric.params["name"]
    from_sorted_ids = Boolean(False, advanced=True, help="Whether predictions are class numbers.")

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.numbered(y_true, y_pred)
        if self.from_sorted_ids:
            return (p[..., : self.k] == y[..., None]).any(axis=-1)
        return among_highest(y.astype(np.intp), p, self.k)


def among_highest(classes: Array, p: Array, k: int) -> Array:
    """Whether fewer than ``k`` predictions are above that of the class, where it is one at all."""
    known = (classes >= 0) & (classes < p.shape[-1])
    own = np.take_along_axis(p, np.where(known, classes, 0)[..., None], -1)
    return known & ((p > own).sum(axis=-1) < k)
