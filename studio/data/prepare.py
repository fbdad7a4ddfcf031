"""From a Dataset to the arrays of a training: shuffled once, split, scaled, targets encoded.

In plain NumPy, which exported code repeats::

    order = np.random.default_rng(seed).permutation(len(x))
    cut = int(len(x) * (1 - validation_split))
    training, validation = order[:cut], order[cut:]
    mean, scale = x[training].mean(axis=0), x[training].std(axis=0)
    x = ((x - mean) / scale).astype("float32")

A column that is constant in the training part is divided by 1 instead of its deviation of 0. Pixels
are divided by the brightest possible one, whatever the training part holds.

The cut is that of Keras' ``validation_split``: the last part, before any shuffling. Many data sets
are sorted by class, so that the last part would be one class only; hence the permutation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.data.dataset import Dataset, DatasetInfo
from studio.data.scaling import Preprocessing, Scaling
from studio.engine.batches import Arrays
from studio.engine.errors import StudioError
from studio.engine.params import Declared, Integer, Real
from studio.engine.workspace import Array


class Split(Declared):
    """How data are divided; ``validation_split=0`` keeps nothing aside."""

    validation_split = Real(0.2, minimum=0, below=1)
    seed = Integer(0, minimum=0, maximum=2**32 - 1)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What ``fit`` takes.

    Args:
        x_train: features, float32, shape (samples, *input_shape).
        y_train: targets, float32: one-hot (samples, classes), else (samples, 1), where the two
            classes are 0 and 1 and the numbers of a regression are standardised.
        x_val: as ``x_train``; without rows if nothing is kept aside.
        y_val: as ``y_train``.
        rows_train: the row of the Dataset that each training sample is.
        rows_val: the same for validation.
        preprocessing: the scaling that was fitted to the training part.
    """

    x_train: Array
    y_train: Array
    x_val: Array
    y_val: Array
    rows_train: Array
    rows_val: Array
    preprocessing: Preprocessing

    @property
    def validation_data(self) -> tuple[Array, Array] | None:
        """What ``fit`` takes under that name."""
        return (self.x_val, self.y_val) if len(self.x_val) else None


def prepare(dataset: Dataset, validation_split: float, seed: int) -> Prepared:
    """Divide and scale a data set; equal arguments give equal bits.

    Raises:
        ParameterError: if the split is not from 0 to below 1, or the seed is no such number.
        DataError: if the split leaves one side empty.
    """
    split = Split(validation_split, seed)
    training, validation = _rows(len(dataset), split, dataset.info.title)
    preprocessing = _fitted(dataset, training)
    order = np.concatenate([training, validation])
    x = preprocessing.inputs.apply(dataset.x[order])
    y = _targets(dataset.info, dataset.y[order], preprocessing)
    cut = len(training)
    return Prepared(x[:cut], y[:cut], x[cut:], y[cut:], training, validation, preprocessing)


def _rows(samples: int, split: Split, where: str) -> tuple[Array, Array]:
    order = np.random.default_rng(split.seed).permutation(samples)
    if split.validation_split == 0:
        return order, order[:0]
    try:
        training, validation = Arrays(order).split(split.validation_split)
    except StudioError as error:
        raise error.at(where) from None
    return training.x, validation.x


def _fitted(dataset: Dataset, training: Array) -> Preprocessing:
    full_scale = dataset.info.full_scale
    inputs = (
        Scaling.standard(dataset.x[training])
        if full_scale is None
        else Scaling((0.0,), (full_scale,))
    )
    if dataset.info.kind != "regression":
        return Preprocessing(inputs)
    return Preprocessing(inputs, Scaling.standard(dataset.y[training, None]))


def _targets(info: DatasetInfo, y: Array, preprocessing: Preprocessing) -> Array:
    if info.kind == "multiclass":
        return np.eye(len(info.class_names), dtype=np.float32)[y]
    column = y[:, None]
    scaling = preprocessing.targets
    return column.astype(np.float32) if scaling is None else scaling.apply(column)
