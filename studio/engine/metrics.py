"""Figures that are watched but not trained on (https://keras.io/api/metrics/).

A metric keeps sums over batches: ``update_state`` adds one, ``result`` reads, ``reset_state`` empties.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from studio.engine.losses import Kind, aligned, spread
from studio.engine.params import Declared, Integer, Real, Text, snake_case
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Metric(Declared):
    """Base of all metrics."""

    kinds: ClassVar[tuple[Kind, ...]] = ()
    help: ClassVar[str] = ""

    name = Text(None, optional=True, advanced=True, help="Its name in logs.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.name = snake_case(type(self).__name__)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        raise NotImplementedError

    def result(self) -> Any:
        """The figure over all batches since the last reset."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add a batch and read the figure."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


metrics: Registry[Metric] = Registry("a metric", Metric)


class MeanMetric(Metric):
    """A metric that is the weighted mean of one value per sample."""

    def values(self, y: Array, p: Array) -> Array:
        """The value of each sample: (batch, …, n) → (batch, …)."""
        raise NotImplementedError

    def reset_state(self) -> None:
        self.total = 0.0
        self.weight = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = np.asarray(y_pred)
        values = self.values(aligned(np.asarray(y_true), p.ndim, p.shape[-1] == 1), p)
        if sample_weight is None:
            self.total += float(np.add.reduce(values, axis=None))
            self.weight += values.size
        else:
            weight = np.broadcast_to(spread(np.asarray(sample_weight), values), values.shape)
            self.total += float((values * weight).sum())
            self.weight += float(weight.sum())

    def result(self) -> float:
        return self.total / self.weight if self.weight else 0.0


@metrics.register()
class CategoricalAccuracy(MeanMetric):
    """How often the class with the highest prediction is the true one; targets one-hot."""

    kinds = ("multiclass",)

    def values(self, y: Array, p: Array) -> Array:
        return y.argmax(axis=-1) == p.argmax(axis=-1)


@metrics.register()
class SparseCategoricalAccuracy(MeanMetric):
    """How often the class with the highest prediction is the true one; targets class numbers."""

    kinds = ("multiclass",)

    def values(self, y: Array, p: Array) -> Array:
        if y.ndim == p.ndim and y.shape[-1] == 1:
            y = y[..., 0]
        return y == p.argmax(axis=-1)


@metrics.register()
class BinaryAccuracy(MeanMetric):
    """How often a prediction is on the target's side of ``threshold``."""

    kinds = ("binary",)
    threshold = Real(0.5, minimum=0, maximum=1, help="Above it a prediction counts as 1.")

    def values(self, y: Array, p: Array) -> Array:
        return ((p > self.threshold) == (y > 0.5)).mean(axis=-1)


@metrics.register("mse", "MSE")
class MeanSquaredError(MeanMetric):
    """mean((p - y)²)."""

    kinds = ("regression",)

    def values(self, y: Array, p: Array) -> Array:
        return np.square(p - y).mean(axis=-1)


@metrics.register("mae", "MAE")
class MeanAbsoluteError(MeanMetric):
    """mean(|p - y|)."""

    kinds = ("regression",)

    def values(self, y: Array, p: Array) -> Array:
        return np.abs(p - y).mean(axis=-1)


@metrics.register("r2")
class R2Score(Metric):
    """1 - Σ(y - p)² / Σ(y - mean y)², averaged over the outputs."""

    kinds = ("regression",)

    def reset_state(self) -> None:
        self.count = 0.0
        self.sums: Array = np.zeros((3, 1))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = np.asarray(y_pred, np.float64)
        y = aligned(np.asarray(y_true, np.float64), p.ndim, p.shape[-1] == 1)
        w = np.ones((len(y), 1)) if sample_weight is None else np.asarray(sample_weight)[:, None]
        self.count += float(w.sum())
        sums = [(w * y).sum(axis=0), (w * y * y).sum(axis=0), (w * (y - p) ** 2).sum(axis=0)]
        self.sums = self.sums + np.array(sums)

    def result(self) -> float:
        if not self.count:
            return 0.0
        total, squares, residual = self.sums
        spread_ = squares - total**2 / self.count
        scores = 1 - residual / np.where(spread_ > 0, spread_, 1)
        return float(np.where(spread_ > 0, scores, 0.0).mean())


@metrics.register()
class ConfusionMatrix(Metric):
    """How often each true class (row) was predicted as each class (column).

    Targets and predictions may be one-hot or probabilities over the classes, a single probability
    per sample for two classes, or class numbers as targets.
    """

    num_classes = Integer(minimum=2, help="How many classes there are.")

    def reset_state(self) -> None:
        self.matrix = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        p = np.asarray(y_pred)
        rows = class_numbers(aligned(np.asarray(y_true), p.ndim, p.shape[-1] == 1))
        columns = class_numbers(p)
        np.add.at(self.matrix, (rows.ravel(), columns.ravel()), 1)

    def result(self) -> Array:
        return self.matrix.copy()


def class_numbers(values: Array) -> Array:
    """Class numbers from probabilities (batch, …, classes), (batch, 1), or numbers (batch,)."""
    if values.ndim >= 2 and values.shape[-1] > 1:
        return values.argmax(axis=-1)
    flat = values[..., 0] if values.ndim >= 2 else values
    return (flat > 0.5).astype(np.int64) if flat.dtype.kind == "f" else flat.astype(np.int64)


def accuracy_for(output_size: int, targets: Array, predictions_rank: int) -> Metric:
    """What Keras' ``"accuracy"`` stands for, given the output and the targets."""
    if output_size == 1:
        chosen: type[Metric] = BinaryAccuracy
    elif targets.ndim < predictions_rank or targets.shape[-1] == 1:
        chosen = SparseCategoricalAccuracy
    else:
        chosen = CategoricalAccuracy
    return chosen(name="accuracy")
