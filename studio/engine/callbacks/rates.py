"""Callbacks that set the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.engine.callbacks.base import Callback, Logs
from studio.engine.errors import StateError
from studio.engine.schedules import LearningRateSchedule

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch.

    Args:
        schedule: a function of the epoch, from 0, and the rate so far, or of the epoch alone.
        verbose: 1 to say so.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        assert self.model.optimizer is not None
        try:
            rate = self.schedule(epoch, self.model.optimizer.rate())
        except TypeError:
            rate = self.schedule(epoch)
        change_rate(self.model, rate, type(self).__name__)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_rate(self.model, logs)


def change_rate(model: Sequential, rate: float, where: str) -> None:
    """Set the learning rate of a model's optimizer.

    Raises:
        StateError: if it follows a schedule already.
        ParameterError: if the rate is not a number of at least 0.
    """
    assert model.optimizer is not None
    if isinstance(model.optimizer.learning_rate, LearningRateSchedule):
        found = type(model.optimizer.learning_rate).__name__
        advice = "Leave out the callback or the schedule."
        raise StateError("an optimizer with a fixed learning rate", found, where, advice)
    model.optimizer.learning_rate = rate


def log_rate(model: Sequential, logs: Logs | None) -> None:
    """Add the learning rate to the logs of an epoch."""
    if isinstance(logs, dict) and model.optimizer is not None:
        logs["learning_rate"] = model.optimizer.rate()
