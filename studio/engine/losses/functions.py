"""Keras' losses as functions of targets and predictions, which return one value per sample."""

from __future__ import annotations

from typing import Any

from studio.engine.losses.base import Loss
from studio.engine.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
)
from studio.engine.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from studio.engine.losses.hinge import CategoricalHinge, Hinge, SquaredHinge
from studio.engine.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
from studio.engine.losses.sparse import SparseCategoricalCrossentropy
from studio.engine.params import snake_case


class LossFunction:
    """``mean_squared_error(y_true, y_pred)``; further arguments are those of the class.

    ``compile`` takes it for a loss and for a metric, as it takes the name.
    """

    def __init__(self, cls: type[Loss]) -> None:
        self.cls = cls
        self.registered_name = cls.__name__
        self.__name__ = snake_case(cls.__name__)
        self.__doc__ = cls.__doc__

    def __call__(self, y_true: Any, y_pred: Any, *args: Any, **options: Any) -> Any:
        """The loss of each sample.

        Raises:
            ShapeError: if targets and predictions do not fit each other.
            DataError: if the targets make no sense for this loss.
        """
        return self.cls(*args, **options, reduction="none")(y_true, y_pred)

    def __repr__(self) -> str:
        return f"<loss function {self.__name__}>"


mean_squared_error = mse = MSE = LossFunction(MeanSquaredError)
mean_absolute_error = mae = MAE = LossFunction(MeanAbsoluteError)
mean_absolute_percentage_error = mape = MAPE = LossFunction(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = msle = MSLE = LossFunction(MeanSquaredLogarithmicError)
huber = LossFunction(Huber)
log_cosh = logcosh = LossFunction(LogCosh)
poisson = LossFunction(Poisson)
cosine_similarity = LossFunction(CosineSimilarity)
binary_crossentropy = LossFunction(BinaryCrossentropy)
categorical_crossentropy = LossFunction(CategoricalCrossentropy)
sparse_categorical_crossentropy = LossFunction(SparseCategoricalCrossentropy)
binary_focal_crossentropy = LossFunction(BinaryFocalCrossentropy)
categorical_focal_crossentropy = LossFunction(CategoricalFocalCrossentropy)
kl_divergence = kld = KLD = kullback_leibler_divergence = LossFunction(KLDivergence)
hinge = LossFunction(Hinge)
squared_hinge = LossFunction(SquaredHinge)
categorical_hinge = LossFunction(CategoricalHinge)
