"""Data as they were measured: frozen values with names for everything in them."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.losses import Kind
from studio.engine.params import Declared
from studio.engine.workspace import Array


class NoOptions(Declared):
    """The options of data that can only be had as they are."""


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of data before they are loaded.

    Args:
        name: what projects call it.
        title: what people call it.
        description: what a row is and what is to be predicted.
        source: who made it, and under which licence it is shipped.
        kind: the sort of the targets.
        input_shape: the shape of one sample, channels last.
        samples: how many there are; of synthetic data, unless asked otherwise.
        target_name: what is predicted.
        class_names: the name of each class, by its number; none for regression.
        full_scale: the value of the brightest pixel of images; None if the features are no pixels.
        options: the declaration of what can be chosen, for :func:`~studio.data.catalogue.load`.
    """

    name: str
    title: str
    description: str
    source: str
    kind: Kind
    input_shape: tuple[int, ...]
    samples: int
    target_name: str
    class_names: tuple[str, ...] = ()
    full_scale: float | None = None
    options: type[Declared] = NoOptions

    @property
    def outputs(self) -> int:
        """How many numbers a network gives per sample: one per class of several, else 1."""
        return len(self.class_names) if self.kind == "multiclass" else 1


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data in memory, read-only and unscaled, in the order of their source.

    Args:
        info: what they are.
        x: the features, shape (samples, *input_shape): uint8 pixels or float64 measurements.
        y: the targets, shape (samples,): class numbers as int64, or float64 for regression.
        feature_names: the name of each column of ``x``; none for images.
        options: what was chosen, as the info declares it; equal options give equal data.
    """

    info: DatasetInfo
    x: Array
    y: Array
    feature_names: tuple[str, ...]
    options: Declared

    def __post_init__(self) -> None:
        for array in (self.x, self.y):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.y)
