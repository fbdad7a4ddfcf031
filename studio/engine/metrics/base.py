"""What all metrics have in common.

A metric keeps sums over batches: ``update_state`` adds one, ``result`` reads them, ``reset_state``
empties them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from studio.engine.errors import ShapeError
from studio.engine.losses import Kind, aligned, spread
from studio.engine.params import Declared, Text, snake_case
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Metric(Declared):
    """Base of all metrics."""

    kinds: ClassVar[tuple[Kind, ...]] = ()
    help: ClassVar[str] = ""
    direction: ClassVar[Literal["up", "down", ""]] = ""
    """Which way is better, where there is such a way."""
    default_name: ClassVar[str] = ""
    """Its name in logs where that is not the class name in snake case."""
    heeds_masks: ClassVar[bool] = False
    """Whether time steps that a mask hides do not count."""

    name = Text(None, optional=True, advanced=True, help="Its name in logs.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.name = self.usual_name()
        self.reset_state()

    @classmethod
    def usual_name(cls) -> str:
        """Its name in logs where it is not given one."""
        return cls.default_name or snake_case(cls.__name__)

    def reset_state(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Raises:
            ShapeError: if targets, predictions and weights do not fit each other.
        """
        raise NotImplementedError

    def result(self) -> Any:
        """The figure over all batches since the last reset."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Add a batch and read the figure."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def fitting(self, outputs: int) -> dict[str, Any]:
        """Other values for parameters that make no sense for that many outputs per sample."""
        return {}

    def paired(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Targets in the rank of the predictions.

        Raises:
            ShapeError: if they have other shapes.
        """
        p = np.asarray(y_pred)
        y = aligned(np.asarray(y_true), p.ndim, p.shape[-1:] == (1,))
        if y.shape != p.shape:
            raise self.misfit(y, p.shape)
        return y, p

    def misfit(self, y: Array, shape: tuple[int, ...]) -> ShapeError:
        """The error for targets that should have had that shape."""
        where = f"{type(self).__name__} {self.name!r}"
        return ShapeError(f"targets of shape {shape}", f"shape {y.shape}", where)

    def weights(self, sample_weight: Any, shape: tuple[int, ...]) -> Array:
        """Sample weights, one for each of an array of values of that shape.

        Raises:
            ShapeError: if they do not fit.
        """
        weight = np.asarray(sample_weight)
        try:
            return np.broadcast_to(spread(weight, np.empty(shape)), shape)
        except ValueError:
            where = f"{type(self).__name__} {self.name!r} sample_weight"
            raise ShapeError(f"weights for {shape}", f"shape {weight.shape}", where) from None


metrics: Registry[Metric] = Registry("a metric", Metric)


class MeanMetric(Metric):
    """A metric that is the weighted mean of one value per sample."""

    heeds_masks = True

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """The value of each sample, or of each number of it."""
        raise NotImplementedError

    def reset_state(self) -> None:
        self.total = 0.0
        self.weight = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.add(self.values(y_true, y_pred), sample_weight)

    def add(self, values: Array, sample_weight: Any = None) -> None:
        """Count values in: first each sample's mean, then the samples' weighted mean."""
        samples = len(values) if values.ndim else 1
        share = samples / max(1, values.size)
        if sample_weight is None:
            self.total += float(np.add.reduce(values, axis=None, dtype=np.float64)) * share
            self.weight += samples
        else:
            weight = self.weights(sample_weight, values.shape)
            self.total += float((values * weight).sum(dtype=np.float64)) * share
            self.weight += float(weight.sum(dtype=np.float64)) * share

    def result(self) -> float:
        return self.total / self.weight if self.weight else 0.0
