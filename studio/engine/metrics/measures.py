"""Losses as figures to watch."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from studio.engine import losses
from studio.engine.losses import Loss
from studio.engine.metrics.base import MeanMetric, metrics
from studio.engine.params import Boolean, Integer, Real
from studio.engine.workspace import Array


class LossMetric(MeanMetric):
    """The mean of a loss over all samples."""

    measures: ClassVar[type[Loss]]
    direction = "down"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shared = type(self).params.keys() & self.measures.params.keys() - {"name"}
        self.loss = self.measures(**{option: getattr(self, option) for option in shared})

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = losses.floats(y_pred)
        where = f"{type(self).__name__} {self.name!r}"
        y = self.loss.fitted(np.asarray(y_true).astype(p.dtype), p.shape, where)
        values, mask = self.loss.values(y, p), self.loss.mask(y)
        if mask is not None:
            whole = 1.0 if sample_weight is None else self.weights(sample_weight, values.shape)
            sample_weight = mask * whole
        self.add(values, sample_weight)


@metrics.register("mse", "MSE")
class MeanSquaredError(LossMetric):
    """The mean of (p - y)²."""

    kinds = ("regression",)
    measures = losses.MeanSquaredError
    help = "The mean of squared differences."


@metrics.register("mae", "MAE")
class MeanAbsoluteError(LossMetric):
    """The mean of |p - y|."""

    kinds = ("regression",)
    measures = losses.MeanAbsoluteError
    help = "The mean of absolute differences."


@metrics.register("mape", "MAPE")
class MeanAbsolutePercentageError(LossMetric):
    """The mean of |p - y| in percent of |y|."""

    kinds = ("regression",)
    measures = losses.MeanAbsolutePercentageError
    help = "The mean of differences in percent of the target."


@metrics.register("msle", "MSLE")
class MeanSquaredLogarithmicError(LossMetric):
    """The mean of (log(1 + p) - log(1 + y))²."""

    kinds = ("regression",)
    measures = losses.MeanSquaredLogarithmicError
    help = "The mean of squared differences of logarithms."


@metrics.register()
class LogCoshError(LossMetric):
    """The mean of log cosh(p - y)."""

    kinds = ("regression",)
    measures = losses.LogCosh
    default_name = "logcosh"
    help = "Nearly squared for small differences, nearly absolute for large ones."


@metrics.register()
class CosineSimilarity(LossMetric):
    """The cosine of the angle between p and y: 1 where both point in the same direction."""

    kinds = ("regression",)
    measures = losses.CosineSimilarity
    direction = "up"
    help = "1 where prediction and target point in the same direction."

    name = LossMetric.params["name"]
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True,
                   help="Along which axis; only the last is known here.")  # fmt: skip

    def add(self, values: Array, sample_weight: Any = None) -> None:
        super().add(-values, sample_weight)


@metrics.register()
class Poisson(LossMetric):
    """The mean of p - y · log p."""

    kinds = ("regression",)
    measures = losses.Poisson
    help = "How improbable the counts are; less is better."


@metrics.register("kld", "KLD")
class KLDivergence(LossMetric):
    """The mean of Σ y · log(y / p)."""

    kinds = ("multiclass",)
    measures = losses.KLDivergence
    help = "How much the predicted probabilities miss of the true ones."


@metrics.register("bce", "BCE")
class BinaryCrossentropy(LossMetric):
    """The mean of the binary cross-entropy."""

    kinds = ("binary",)
    measures = losses.BinaryCrossentropy
    help = "How improbable the true class was."

    name = LossMetric.params["name"]
    from_logits = Boolean(False, advanced=True, help="Whether predictions are logits.")
    label_smoothing = Real(0.0, minimum=0, maximum=1, advanced=True,
                           help="How far targets are moved towards uniform.")  # fmt: skip


@metrics.register("cce")
class CategoricalCrossentropy(LossMetric):
    """The mean of the categorical cross-entropy; targets one-hot."""

    kinds = ("multiclass",)
    measures = losses.CategoricalCrossentropy
    help = "How improbable the true class was."

    name = LossMetric.params["name"]
    from_logits = BinaryCrossentropy.params["from_logits"]
    label_smoothing = BinaryCrossentropy.params["label_smoothing"]
    axis = CosineSimilarity.params["axis"]


@metrics.register()
class SparseCategoricalCrossentropy(LossMetric):
    """The mean of the categorical cross-entropy; targets class numbers."""

    measures = losses.SparseCategoricalCrossentropy
    help = "How improbable the true class was, for class numbers."

    name = LossMetric.params["name"]
    from_logits = BinaryCrossentropy.params["from_logits"]
    ignore_class = Integer(None, optional=True, advanced=True, help="A class that does not count.")
    axis = CosineSimilarity.params["axis"]


@metrics.register()
class Hinge(LossMetric):
    """The mean of max(1 - y · p, 0)."""

    kinds = ("binary",)
    measures = losses.Hinge
    help = "How far two classes are from being apart by a margin."


@metrics.register()
class SquaredHinge(LossMetric):
    """The mean of max(1 - y · p, 0)²."""

    kinds = ("binary",)
    measures = losses.SquaredHinge
    help = "Like hinge; being far on the wrong side weighs more."


@metrics.register()
class CategoricalHinge(LossMetric):
    """The mean of max(max((1 - y) · p) - Σ y · p + 1, 0)."""

    kinds = ("multiclass",)
    measures = losses.CategoricalHinge
    help = "How far the true class is from being ahead by a margin."
