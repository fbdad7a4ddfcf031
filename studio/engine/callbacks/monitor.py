"""Callbacks that watch whether a figure gets better."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from studio.engine.callbacks.base import Callback, Logs
from studio.engine.callbacks.rates import change_rate, log_rate
from studio.engine.errors import ParameterError
from studio.engine.metrics import ACCURACY, Metric
from studio.engine.params import Boolean, Choice, Integer, Param, Real
from studio.engine.workspace import Array


class MonitorCallback(Callback):
    """Base of callbacks that watch one figure.

    Args:
        monitor: its name in the logs of an epoch.
        mode: ``"min"`` or ``"max"``, or ``"auto"`` for what the metric says is better.
        baseline: what is to be beaten first.
        min_delta: by how much, at least.

    Raises:
        ParameterError: if an argument is not valid.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        self.monitor = monitor
        self.mode = self.checked("mode", Choice(options=("auto", "min", "max")), mode)
        self.min_delta = abs(self.checked("min_delta", Real(), min_delta))
        self.best: float | None = baseline

    def checked(self, name: str, param: Param[Any], value: Any) -> Any:
        """The value of an argument.

        Raises:
            ParameterError: if it is not valid.
        """
        return param.checked(value, f"{type(self).__name__} {name}")

    def current(self, logs: Logs | None) -> float | None:
        """The figure, or None with a warning where there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            names = ", ".join(logs or ()) or "none"
            text = f"{type(self).__name__} watches {self.monitor!r}, which is not there: {names}."
            warnings.warn(text, stacklevel=2)
        elif np.ndim(value):
            found = f"an array of shape {np.shape(value)}"
            where = f"{type(self).__name__} monitor {self.monitor!r}"
            raise ParameterError("a figure that is one number", found, where)
        return value

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether a value is better than another by more than ``min_delta``."""
        if reference is None:
            return True
        if self.direction() == "up":
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def direction(self) -> str:
        """Which way is better: ``"up"`` or ``"down"``.

        Raises:
            ParameterError: if neither the mode nor the metric says so.
        """
        if self.mode != "auto":
            return "up" if self.mode == "max" else "down"
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "down"
        for metric in (*self.model.metrics, *self.model.weighted_metrics):
            if isinstance(metric, Metric):
                if metric.name == name and metric.direction:
                    return metric.direction
            elif metric == name and metric.lower() in ACCURACY:
                return "up"
        where = f"{type(self).__name__} monitor {self.monitor!r}"
        advice = "Say mode='max' or mode='min'."
        raise ParameterError("a figure that says which way is better", "none", where, advice)


class EarlyStopping(MonitorCallback):
    """Stops the training when a figure has not got better for ``patience`` epochs.

    Args:
        monitor: the name of the figure.
        min_delta: what counts as better, at least.
        patience: for how many epochs it need not get better.
        verbose: 1 to say so.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        baseline: what has to be beaten for the patience to begin anew.
        restore_best_weights: whether the weights of the best epoch come back at the end.
        start_from_epoch: the epoch, from 0, that the watch begins with.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = self.checked("patience", Integer(minimum=0), patience)
        self.verbose = verbose
        self.baseline = self.checked("baseline", Real(optional=True), baseline)
        self.restore_best_weights = self.checked(
            "restore_best_weights", Boolean(), restore_best_weights
        )
        self.start_from_epoch = self.checked(
            "start_from_epoch", Integer(minimum=0), start_from_epoch
        )
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[Array] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        better = self.improves(value, self.best)
        if better:
            self.best, self.best_epoch = value, epoch
        if self.restore_best_weights and (better or self.best_weights is None):
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if better:
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a figure has not got better for ``patience`` epochs.

    Args:
        monitor: the name of the figure.
        factor: what the rate is multiplied by.
        patience: for how many epochs it need not get better.
        verbose: 1 to say so.
        mode: ``"min"``, ``"max"`` or ``"auto"``.
        min_delta: what counts as better, at least.
        cooldown: how many epochs after a change nothing is counted.
        min_lr: the lowest rate.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = self.checked("factor", Real(minimum=0, below=1), factor)
        self.patience = self.checked("patience", Integer(minimum=0), patience)
        self.verbose = verbose
        self.cooldown = self.checked("cooldown", Integer(minimum=0), cooldown)
        self.min_lr = self.checked("min_lr", Real(minimum=0), min_lr)
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.cooldown_counter = 0
        self.best = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_rate(self.model, logs)
        value = self.current(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        if optimizer is None or optimizer.rate() <= self.min_lr:
            return
        rate = max(optimizer.rate() * self.factor, self.min_lr)
        change_rate(self.model, rate, type(self).__name__)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is now {rate:g}.")
        self.wait, self.cooldown_counter = 0, self.cooldown
