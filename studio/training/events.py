"""What a run says while it goes on: frozen values that may cross threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from studio.engine.errors import StudioError
from studio.project.trained import Trained


@dataclass(frozen=True)
class Started:
    """The data are ready and the first batch is next.

    Args:
        epochs: how many there will be.
        batches: how many batches an epoch has.
        samples: how many rows are trained on.
        validation_samples: how many rows are kept aside.
        classes: names of the classes; none for regression.
        figures: the names of those beside the loss; the first is ``"accuracy"``, or ``"mae"`` for
            regression.
    """

    epochs: int
    batches: int
    samples: int
    validation_samples: int
    classes: tuple[str, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True)
class BatchEnd:
    """A batch is done; not every one is told, but the last of each epoch is.

    Args:
        epoch: its epoch, from 1.
        batch: its number in the epoch, from 1.
        steps: how many batches are done in all epochs.
        figures: ``"loss"`` and those beside it, over the epoch so far.
        seconds: of training so far, pauses left out.
    """

    epoch: int
    batch: int
    steps: int
    figures: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is recognised; 0 where a figure is not defined, as in scikit-learn.

    Args:
        name: of the class.
        precision: how many of those taken for it are of it.
        recall: how many of it are found.
        f1: the harmonic mean of both.
        support: how many samples are of it.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class EpochEnd:
    """An epoch and its validation are done.

    Args:
        epoch: from 1.
        figures: ``"loss"``, those beside it, and the same with ``"val_"`` for validation.
        classes: the figures of each class, on the validation part, or without one on the training
            part; empty for regression.
        validated: whether ``classes`` speak of the validation part.
        seconds: of training so far, pauses left out.
    """

    epoch: int
    figures: Mapping[str, float]
    classes: tuple[ClassFigures, ...]
    validated: bool
    seconds: float


@dataclass(frozen=True)
class Paused:
    """The run waits before the next batch."""


@dataclass(frozen=True)
class Resumed:
    """The run goes on after a pause."""


@dataclass(frozen=True)
class Stopped:
    """The run was stopped; what it reached is kept. None if it had not done a batch."""

    trained: Trained | None


@dataclass(frozen=True)
class Finished:
    """All epochs are done."""

    trained: Trained


@dataclass(frozen=True)
class Failed:
    """The run ended with an error that the user can act on."""

    error: StudioError


Event: TypeAlias = Started | BatchEnd | EpochEnd | Paused | Resumed | Stopped | Finished | Failed
