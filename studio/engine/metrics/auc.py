"""The area under a curve over all thresholds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from studio.engine.activations import Sigmoid
from studio.engine.config import epsilon
from studio.engine.errors import ParameterError, ShapeError
from studio.engine.losses import floats
from studio.engine.metrics.base import Metric, metrics
from studio.engine.metrics.counts import Counts, Totals, ratio
from studio.engine.params import Boolean, Choice, Integer, Reals
from studio.engine.workspace import Array


@lru_cache(maxsize=64)
def _points(number: int, given: tuple[float, ...] | None) -> tuple[Array, bool]:
    """The thresholds in rising order, and whether they are evenly spaced."""
    inner = given or np.arange(1, number - 1) / (number - 1)
    limits = np.array([-epsilon(), *sorted(inner), 1 + epsilon()])
    limits.flags.writeable = False
    even = np.linspace(0, 1, len(limits))
    return limits, len(limits) > 2 and bool(np.allclose(limits, even, atol=2 * epsilon()))


@metrics.register()
class AUC(Counts):
    """The area under the curve of recall over false positives (ROC), or precision over recall (PR).

    The curve is known at ``num_thresholds`` points, or at ``thresholds``. Between two points ROC is
    a straight line and PR the curve of Davis and Goadrich, 2006. ``prgain`` is the precision-recall
    gain of Flach and Kull, 2015.
    Source: https://keras.io/api/metrics/classification_metrics/#auc-class
    """

    kinds = ("binary", "multiclass")
    help = "How well a threshold tells a class from the rest: 0.5 is guessing, 1 is perfect."

    num_thresholds = Integer(200, minimum=2, maximum=100_000, advanced=True,
                             help="At how many points.")  # fmt: skip
    curve = Choice("roc", options=("roc", "pr", "prgain"), help="Which curve.")
    summation_method = Choice(
        "interpolation", options=("interpolation", "minoring", "majoring"), advanced=True,
        help="What lies between two points: the curve, the lower or the higher of both.",
    )  # fmt: skip
    name = Metric.params["name"]
    thresholds = Reals(None, optional=True, minimum=0, maximum=1, advanced=True,
                       help="The points, in place of evenly spaced ones.")  # fmt: skip
    multi_label = Boolean(False, advanced=True, help="One curve for each output.")
    num_labels = Integer(None, optional=True, minimum=1, advanced=True, help="How many outputs.")
    label_weights = Reals(None, optional=True, minimum=0, advanced=True,
                          help="The weight of each output.")  # fmt: skip
    from_logits = Boolean(False, advanced=True, help="Whether predictions are logits.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.num_labels and not self.multi_label:
            raise ParameterError("multi_label=True for num_labels", "multi_label=False", "AUC")

    def fitting(self, outputs: int) -> dict[str, Any]:
        sizes = {"num_labels": self.num_labels, "label_weights": len(self.label_weights or ())}
        return {name: None for name, size in sizes.items() if size and size != outputs}

    def limits(self) -> Array:
        return _points(self.num_thresholds, self.thresholds)[0]

    def reset_state(self) -> None:
        super().reset_state()
        self.even = _points(self.num_thresholds, self.thresholds)[1]
        if self.multi_label:
            # One column per output is added to it.
            points = np.zeros((len(self.limits()), 1))
            self.totals = points, points, np.zeros(1), np.zeros(1)

    def exceeded(self, p: Array) -> Array:
        if not self.even:
            return super().exceeded(p)
        # As Keras rounds: predictions times the number of steps, in their own number type.
        last = p.dtype.type(len(self.true_positives) - 1)
        return np.maximum(np.ceil(np.clip(p, 0, 1) * last), 1).astype(np.intp)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = floats(y_pred)
        super().update_state(y_true, Sigmoid().forward(p) if self.from_logits else p, sample_weight)

    def tally(self, y: Array, p: Array, w: Array) -> Totals:
        if not self.multi_label:
            if self.label_weights is not None:  # pyright: ignore[reportUnnecessaryComparison]
                w = w * self._weights(p.shape)
            return super().tally(y, p, w)
        if p.ndim != 2 or self.num_labels not in (None, p.shape[1]):
            wanted = f"predictions of shape (batch, {self.num_labels or 'labels'})"
            raise ShapeError(wanted, f"shape {p.shape}", f"AUC {self.name!r}")
        columns = [super(AUC, self).tally(*column) for column in zip(y.T, p.T, w.T, strict=True)]
        tp, fp, positives, negatives = (np.array(part).T for part in zip(*columns, strict=True))
        return tp, fp, positives, negatives

    def _weights(self, shape: tuple[int, ...]) -> Array:
        weights = np.asarray(self.label_weights)
        if len(shape) < 2 or shape[-1] != len(weights):
            raise ShapeError(f"{len(weights)} outputs", f"shape {shape}", f"AUC {self.name!r}")
        return weights

    def result(self) -> float:
        pr = self.curve == "pr" and self.summation_method == "interpolation"
        areas = self._interpolated() if pr else self._summed()
        by_label = areas.sum(axis=0)
        if not self.multi_label:
            return float(by_label)
        if self.label_weights is None:  # pyright: ignore[reportUnnecessaryComparison]
            return float(by_label.mean())
        return float(np.average(by_label, weights=self._weights((1, len(by_label)))))

    def _summed(self) -> Array:
        x, y = self._curve()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        else:
            choose = np.minimum if self.summation_method == "minoring" else np.maximum
            heights = choose(y[:-1], y[1:])
        return (x[:-1] - x[1:]) * heights

    def _curve(self) -> tuple[Array, Array]:
        tp, fp = self.true_positives, self.false_positives
        if self.curve == "prgain":
            scale = ratio(tp + self.false_negatives, fp + self.true_negatives)
            recall = 1 - scale * ratio(self.false_negatives, tp)
            precision = 1 - scale * ratio(fp, tp)
            recall = np.maximum(np.where(tp == 0, 0, recall), 0)
            return recall, np.where(tp == 0, 1, precision)
        recall = ratio(tp, tp + self.false_negatives)
        if self.curve == "roc":
            return ratio(fp, fp + self.true_negatives), recall
        return recall, ratio(tp, tp + fp)

    def _interpolated(self) -> Array:
        """Areas between the points of a PR curve, along which TP grows linearly with TP + FP."""
        tp = self.true_positives
        taken = tp + self.false_positives
        gained = tp[:-1] - tp[1:]
        slope = ratio(gained, taken[:-1] - taken[1:])
        start = tp[1:] - slope * taken[1:]
        both = (taken[:-1] > 0) & (taken[1:] > 0)
        growth = np.where(both, ratio(taken[:-1], taken[1:]), 1)
        area = slope * (gained + start * np.log(np.where(both, growth, 1)))
        return ratio(area, (tp + self.false_negatives)[1:])
