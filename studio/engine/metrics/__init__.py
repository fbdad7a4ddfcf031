"""Figures that are watched but not trained on (https://keras.io/api/metrics/)."""

from typing import Any

from studio.engine.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from studio.engine.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from studio.engine.metrics.auc import (
    AUC,
)
from studio.engine.metrics.base import (
    MeanMetric,
    Metric,
    metrics,
)
from studio.engine.metrics.confusion import (
    ClassificationReport,
    ConfusionMatrix,
    classification_report,
)
from studio.engine.metrics.counts import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from studio.engine.metrics.fscore import (
    F1Score,
    FBetaScore,
)
from studio.engine.metrics.measures import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from studio.engine.metrics.regression import (
    R2Score,
    RootMeanSquaredError,
)
from studio.engine.workspace import Array

ACCURACY = ("accuracy", "acc")
"""Names of the accuracy that suits the targets."""


def named(identifier: Any) -> Metric | str:
    """A metric from a name, a function or an object; ``"accuracy"`` waits for the targets.

    As in Keras, what is named by a text goes by that text in logs: ``"mse"``.

    Raises:
        UnknownNameError: if the name is not known.
    """
    if isinstance(identifier, str) and identifier.lower() in ACCURACY:
        return identifier
    metric = metrics.make(identifier)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def accuracy_for(targets: Array, predictions: Array, name: str) -> Metric:
    """What Keras' ``"accuracy"`` stands for, given some targets and predictions."""
    if predictions.shape[-1] == 1:
        return BinaryAccuracy(name=name)
    if targets.ndim < predictions.ndim or targets.shape[-1] == 1:
        return SparseCategoricalAccuracy(name=name)
    return CategoricalAccuracy(name=name)


get = deserialize = metrics.make
serialize = metrics.serialize

__all__ = [
    "ACCURACY",
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ClassificationReport",
    "ConfusionMatrix",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetric",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy_for",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "classification_report",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "metrics",
    "named",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
