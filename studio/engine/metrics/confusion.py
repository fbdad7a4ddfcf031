"""Which classes are taken for which, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.engine.errors import DataError, ShapeError
from studio.engine.losses import aligned
from studio.engine.metrics.base import Metric, metrics
from studio.engine.params import Integer
from studio.engine.workspace import Array


@metrics.register()
class ConfusionMatrix(Metric):
    """How often each true class (row) was predicted as each class (column).

    Targets and predictions may be one-hot or probabilities over the classes, a single probability
    per sample for two classes, or class numbers as targets. With sample weights their sums.
    """

    kinds = ("binary", "multiclass")
    help = "How often each class is taken for each other."

    # More would take seconds and gigabytes for a table that nobody reads.
    num_classes = Integer(minimum=2, maximum=2_000, initial=2, help="How many classes there are.")

    def reset_state(self) -> None:
        self.matrix: Array = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y, p = np.asarray(y_true), np.asarray(y_pred)
        several = p.ndim > 1 and p.shape[-1] > 1
        columns = p.argmax(axis=-1) if several else _sides(p[..., 0] if p.ndim > 1 else p)
        if several and y.shape == p.shape:
            rows = y.argmax(axis=-1)
        else:
            y = aligned(y, columns.ndim, widen=False)
            rows = _sides(y) if self.num_classes == 2 else y.astype(np.intp)
        if rows.shape != columns.shape:
            raise self.misfit(rows, columns.shape)
        for numbers in (rows, columns):
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.num_classes:
                bad = numbers[(numbers < 0) | (numbers >= self.num_classes)][0]
                wanted = f"classes from 0 to {self.num_classes - 1}"
                raise DataError(wanted, str(bad), f"{type(self).__name__} {self.name!r}")
        cells = (rows * self.num_classes + columns).ravel()
        weight = None if sample_weight is None else self.weights(sample_weight, rows.shape).ravel()
        counts = np.bincount(cells, weight, self.num_classes**2)
        self.matrix = self.matrix + counts.reshape(self.matrix.shape)

    def result(self) -> Array:
        return self.matrix.copy()


def _sides(values: Array) -> Array:
    """Which of two classes: 1 above 0.5, else 0."""
    return (values > 0.5).astype(np.intp)


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """Figures of each class, and their averages.

    Args:
        precision: which part of those taken for a class belong to it; (classes,).
        recall: which part of a class is found.
        f1: the harmonic mean of both.
        support: how many of each class there are.
        accuracy: which part of all is right.
    """

    precision: Array
    recall: Array
    f1: Array
    support: Array
    accuracy: float

    @property
    def averages(self) -> dict[str, tuple[float, float, float]]:
        """Precision, recall and F1 of all classes.

        As their mean over classes (``"macro"``), weighted by support (``"weighted"``), and from
        the counts of all classes together (``"micro"``).
        """
        return {
            # Whatever is wrongly taken for one class is missed by another.
            "micro": (self.accuracy, self.accuracy, self.accuracy),
            "macro": self._average(np.ones(len(self.support))),
            "weighted": self._average(self.support),
        }

    def _average(self, weights: Array) -> tuple[float, float, float]:
        precision, recall, f1 = (
            _average(values, weights) for values in (self.precision, self.recall, self.f1)
        )
        return precision, recall, f1


def classification_report(matrix: Any, zero_division: float = 0.0) -> ClassificationReport:
    """Precision, recall and F1 per class and on average, from a confusion matrix.

    The figures are those of scikit-learn's functions for ``labels=range(classes)``.

    Args:
        matrix: how often each true class (row) was taken for each class (column).
        zero_division: the figure where there is nothing to divide by; averages leave out NaN.

    Raises:
        ShapeError: if it is not a square matrix.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ShapeError("a square matrix", f"shape {matrix.shape}", "classification_report")
    hits, taken, there = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return ClassificationReport(
        precision=_ratio(hits, taken, zero_division),
        recall=_ratio(hits, there, zero_division),
        f1=_ratio(2 * hits, taken + there, zero_division),
        support=there,
        accuracy=float(_ratio(hits.sum(), there.sum(), zero_division)),
    )


def _average(values: Array, weights: Array) -> float:
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    weights = weights[known] if weights[known].sum() else np.ones(int(known.sum()))
    return float(np.average(values[known], weights=weights))


def _ratio(part: Array, whole: Array, otherwise: float) -> Array:
    out = np.full(np.shape(part), otherwise, np.float64)
    return np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
