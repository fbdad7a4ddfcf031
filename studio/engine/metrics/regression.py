"""Figures for predicted numbers that are no means (https://keras.io/api/metrics/regression_metrics/)."""

from __future__ import annotations

import warnings
from math import sqrt
from typing import Any

import numpy as np

from studio.engine.metrics.base import MeanMetric, Metric, metrics
from studio.engine.params import Choice, Integer
from studio.engine.workspace import Array


@metrics.register()
class RootMeanSquaredError(MeanMetric):
    """sqrt of the mean of (p - y)²."""

    kinds = ("regression",)
    direction = "down"
    heeds_masks = False
    help = "The typical difference, in the targets' own unit."

    def values(self, y_true: Any, y_pred: Any) -> Array:
        y, p = self.paired(y_true, y_pred)
        return np.square(p - y)

    def result(self) -> float:
        return sqrt(super().result())


@metrics.register("r2")
class R2Score(Metric):
    """1 - Σ(y - p)² / Σ(y - mean y)² of each output, and their mean.

    An output whose targets are all equal has 1 where it is predicted exactly, else 0. With
    ``num_regressors`` n it is the adjusted score 1 - (1 - R²) (N - 1) / (N - n - 1).
    """

    kinds = ("regression",)
    direction = "up"
    help = "Which part of the targets' spread is explained: 1 is perfect, 0 is guessing the mean."

    class_aggregation = Choice(
        "uniform_average", options=("uniform_average", "variance_weighted_average"),
        optional=True, advanced=True, help="How several outputs become one figure.",
    )  # fmt: skip
    num_regressors = Integer(0, minimum=0, advanced=True, help="For how many inputs to adjust.")

    def reset_state(self) -> None:
        self.samples = 0
        self.origin: Array | None = None
        self.sums: Array = np.zeros((4, 1))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, p = self.paired(np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64))
        if y.ndim == 1:
            y, p = y[:, None], p[:, None]
        if y.ndim != 2 or not len(y):
            raise self.misfit(y, (len(y), 1))
        w = np.ones(y.shape) if sample_weight is None else self.weights(sample_weight, y.shape)
        # Sums of differences from a target lose no digits, and are exactly 0 for equal targets.
        self.origin = y[0].copy() if self.origin is None else self.origin
        apart = y - self.origin
        terms = (w, w * apart, w * apart**2, w * (y - p) ** 2)
        self.sums = self.sums + np.array([term.sum(axis=0) for term in terms])
        self.samples += y.size

    def result(self) -> Any:
        count, total, squares, residual = self.sums
        if not count.all():
            return 0.0
        spread = squares - total**2 / count
        constant = spread <= 0
        scores: Array = 1 - residual / np.where(constant, 1, spread)
        scores[constant] = residual[constant] == 0
        if self.class_aggregation == "variance_weighted_average":
            varies = spread.sum() > 0
            return self._adjusted(np.average(scores, weights=spread if varies else None))
        return self._adjusted(scores.mean() if self.class_aggregation else scores)

    def _adjusted(self, score: Any) -> Any:
        free = self.samples - self.num_regressors - 1
        if self.num_regressors and free <= 0:
            warnings.warn("Too few samples to adjust R² for the number of inputs.", stacklevel=3)
        elif self.num_regressors:
            score = 1 - (1 - score) * (self.samples - 1) / free
        return score if np.ndim(score) else float(score)
