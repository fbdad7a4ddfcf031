"""How many predictions are rightly and wrongly above thresholds.

Source: https://keras.io/api/metrics/classification_metrics/
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from studio.engine.errors import ParameterError
from studio.engine.losses import floats
from studio.engine.metrics.base import Metric, metrics
from studio.engine.params import Integer, Reals
from studio.engine.workspace import Array

Totals: TypeAlias = tuple[Array, Array, Array, Array]
"""True and false positives by threshold, and how many targets of 1 and of 0 there are."""


class Counts(Metric):
    """Counts true and false positives and negatives for each threshold."""

    kinds = ("binary",)
    direction = "up"

    thresholds = Reals(
        None, single=True, optional=True, minimum=0, maximum=1, advanced=True,
        help="Above one of them a prediction counts as positive; 0.5 if not given.",
    )  # fmt: skip

    def limits(self) -> Array:
        """The thresholds, in rising order."""
        return np.sort(np.asarray(self.thresholds or (0.5,), np.float64))

    def reset_state(self) -> None:
        size = len(self.limits())
        self.totals: Totals = (np.zeros(size), np.zeros(size), np.zeros(()), np.zeros(()))

    @property
    def true_positives(self) -> Array:
        """How many targets of 1 are predicted, by threshold."""
        return self.totals[0]

    @property
    def false_positives(self) -> Array:
        """How many targets of 0 are predicted as 1, by threshold."""
        return self.totals[1]

    @property
    def false_negatives(self) -> Array:
        """How many targets of 1 are not predicted, by threshold."""
        return self.totals[2] - self.totals[0]

    @property
    def true_negatives(self) -> Array:
        """How many targets of 0 are not predicted as 1, by threshold."""
        return self.totals[3] - self.totals[1]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, p = self.paired(y_true, floats(y_pred))
        w = np.ones(p.shape) if sample_weight is None else self.weights(sample_weight, p.shape)
        a, b, c, d = self.tally(y != 0, p, w)
        tp, fp, positives, negatives = self.totals
        self.totals = tp + a, fp + b, positives + c, negatives + d

    def tally(self, y: Array, p: Array, w: Array) -> Totals:
        """The totals of some predictions."""
        size = len(self.true_positives) + 1
        # Both sides at once: the targets of 1 in the second half.
        places = self.exceeded(p) + size * y
        counts = np.bincount(places.ravel(), w.ravel(), 2 * size).reshape(2, size)
        false, found = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
        return found[1:], false[1:], found[0], false[0]

    def exceeded(self, p: Array) -> Array:
        """How many thresholds each prediction is above."""
        return np.searchsorted(self.limits().astype(p.dtype), p, side="left")

    def figure(self, values: Array) -> Any:
        """One number for one threshold, an array for several in the order in which they came."""
        if len(values) == 1:
            return float(values[0])
        given = np.asarray(self.thresholds)
        return values[np.searchsorted(self.limits(), given)]


def ratio(part: Array, whole: Array) -> Array:
    """part / whole, and 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


@metrics.register()
class TruePositives(Counts):
    """How many targets of 1 are predicted."""

    help = "How many of class 1 are found."

    def result(self) -> Any:
        return self.figure(self.true_positives)


@metrics.register()
class FalsePositives(Counts):
    """How many targets of 0 are predicted as 1."""

    direction = "down"
    help = "How many of class 0 are taken for 1."

    def result(self) -> Any:
        return self.figure(self.false_positives)


@metrics.register()
class TrueNegatives(Counts):
    """How many targets of 0 are predicted as such."""

    help = "How many of class 0 are found."

    def result(self) -> Any:
        return self.figure(self.true_negatives)


@metrics.register()
class FalseNegatives(Counts):
    """How many targets of 1 are not predicted."""

    direction = "down"
    help = "How many of class 1 are missed."

    def result(self) -> Any:
        return self.figure(self.false_negatives)


class _OfClass(Counts):
    kinds = ("binary", "multiclass")

    thresholds = Counts.params["thresholds"]
    top_k = Integer(None, optional=True, minimum=1, advanced=True,
                    help="Count the k most probable classes as predicted.")  # fmt: skip
    class_id = Integer(None, optional=True, minimum=0, advanced=True,
                       help="Look at one class only.")  # fmt: skip

    def fitting(self, outputs: int) -> dict[str, Any]:
        beyond = {"class_id": (self.class_id or 0) >= outputs, "top_k": (self.top_k or 0) > outputs}
        return {name: None for name, is_beyond in beyond.items() if is_beyond}

    def limits(self) -> Array:
        if self.top_k and not self.thresholds:
            return np.full(1, -np.inf)
        return super().limits()

    def tally(self, y: Array, p: Array, w: Array) -> Totals:
        classes = p.shape[-1] if p.ndim > 1 else 1
        if self.top_k:
            if self.top_k > classes:
                wanted = f"at most the {classes} classes"
                raise ParameterError(wanted, str(self.top_k), f"{type(self).__name__} top_k")
            kept = np.argsort(-p, axis=-1, kind="stable")[..., : self.top_k]
            lowest = np.full(p.shape, -np.inf, p.dtype)
            np.put_along_axis(lowest, kept, np.take_along_axis(p, kept, -1), -1)
            p = lowest
        if self.class_id is not None:  # pyright: ignore[reportUnnecessaryComparison]
            one = self.class_id
            if p.ndim < 2 or one >= classes:
                wanted = f"one of the {classes} classes"
                raise ParameterError(wanted, str(one), f"{type(self).__name__} class_id")
            y, p, w = y[..., one], p[..., one], w[..., one]
        return super().tally(y, p, w)


@metrics.register()
class Precision(_OfClass):
    """Which part of what is predicted as positive is so: TP / (TP + FP); 0 if there is none."""

    help = "How many of those taken for a class belong to it."

    def result(self) -> Any:
        taken = self.true_positives + self.false_positives
        return self.figure(ratio(self.true_positives, taken))


@metrics.register()
class Recall(_OfClass):
    """Which part of the positives is predicted: TP / (TP + FN); 0 if there is none."""

    help = "How many of a class are found."

    def result(self) -> Any:
        there = self.true_positives + self.false_negatives
        return self.figure(ratio(self.true_positives, there))
