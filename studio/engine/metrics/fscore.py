"""The harmonic mean of precision and recall (https://keras.io/api/metrics/classification_metrics/)."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.config import epsilon
from studio.engine.metrics.base import Metric, metrics
from studio.engine.params import Choice, Real
from studio.engine.workspace import Array


class _FScore(Metric):
    kinds = ("binary", "multiclass")
    direction = "up"

    average = Choice(None, options=("micro", "macro", "weighted"), optional=True, initial="macro",
                     help="How the classes' figures become one.")  # fmt: skip
    threshold = Real(None, above=0, maximum=1, optional=True,
                     help="Above it a class counts; the highest one if not given.")  # fmt: skip

    beta: Any = 1.0

    def fitting(self, outputs: int) -> dict[str, Any]:
        # The highest of one number is that number, however low it is.
        return {"threshold": 0.5} if outputs == 1 and not self.threshold else {}

    def reset_state(self) -> None:
        self.sums: Array = np.zeros((3, 1))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, p = self.paired(y_true, y_pred)
        if p.ndim != 2:
            raise self.misfit(y, (len(p), 1))
        if self.threshold is None:  # pyright: ignore[reportUnnecessaryComparison]
            taken = (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)
        else:
            taken = p > self.threshold
        w = 1.0 if sample_weight is None else self.weights(sample_weight, p.shape)
        found = [(w * both).sum(axis=0) for both in (taken * y, taken * (1 - y), (1 - taken) * y)]
        self.sums = self.sums + np.array(found, np.float64)

    def result(self) -> Any:
        sums = self.sums.sum(axis=1, keepdims=True) if self.average == "micro" else self.sums
        hits, wrong, missed = sums
        precision = hits / (hits + wrong + epsilon())
        recall = hits / (hits + missed + epsilon())
        square = self.beta**2
        scores = (1 + square) * precision * recall / (square * precision + recall + epsilon())
        if self.average == "weighted":
            there = hits + missed
            return float((scores * there).sum() / (there.sum() + epsilon()))
        return float(scores.mean()) if self.average else scores


@metrics.register()
class FBetaScore(_FScore):
    """(1 + β²) · P · R / (β² · P + R) of precision P and recall R; targets one-hot.

    Every denominator has ε added, as in Keras: a perfect score is a little below 1.
    """

    default_name = "fbeta_score"
    help = "Precision and recall in one figure; beta says how much more recall weighs."

    average = _FScore.params["average"]
    beta = Real(1.0, above=0, help="How much more recall weighs than precision.")


@metrics.register()
class F1Score(_FScore):
    """2 · P · R / (P + R) of precision P and recall R; targets one-hot."""

    help = "Precision and recall in one figure."
