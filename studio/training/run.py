"""Training a project in whichever thread calls it."""

from __future__ import annotations

import platform
from array import array
from collections.abc import Callable, Mapping
from math import isfinite, nan
from time import monotonic, perf_counter
from typing import Any

import numpy as np

import studio
from studio.data.catalogue import load
from studio.data.dataset import DatasetInfo
from studio.data.prepare import Prepared, prepare
from studio.engine import Sequential
from studio.engine.callbacks import Callback
from studio.engine.errors import StudioError
from studio.engine.metrics import ConfusionMatrix, metrics
from studio.engine.workspace import Array
from studio.project.build import build_model
from studio.project.document import to_document
from studio.project.metrics import figures
from studio.project.propose import ADVICE
from studio.project.trained import Trained
from studio.project.values import Project
from studio.training.control import Control
from studio.training.events import (
    BatchEnd,
    EpochEnd,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    Started,
    Stopped,
)
from studio.training.figures import class_figures

Emit = Callable[[Event], None]

INTERVAL = 0.04
"""Seconds between two told batches: a little more often than a window shows them."""


def train(
    project: Project, emit: Emit, control: Control | None = None, threads: int | None = None
) -> Trained | None:
    """Train, saying what happens through ``emit``, in the calling thread.

    The last event is ``Finished``, ``Stopped`` or ``Failed``.

    Args:
        project: what to train.
        emit: takes the events; called in the thread of this function.
        control: pause, step and stop.
        threads: how many threads compute; all processors where not given.

    Returns:
        The trained project, also if it was stopped after at least one batch; None if it failed.
    """
    control = control or Control()
    try:
        dataset = load(project.data.name, **project.data.options)
        settings = project.settings
        model = build_model(project, dataset.info, threads)
        data = prepare(dataset, settings.validation_split, settings.seed)
        trained = _fit(project, model, dataset.info, data, emit, control)
    except StudioError as error:
        emit(Failed(error))
        return None
    except MemoryError:
        emit(Failed(_too_large(project)))
        return None
    emit(Stopped(trained) if trained is None or trained.report["stopped"] else Finished(trained))
    return trained


def _too_large(project: Project) -> StudioError:
    return StudioError(
        "enough memory for the stack and a batch", "too little", "training",
        f"Make the stack or the batch size ({project.settings.batch_size}) smaller.",
    )  # fmt: skip


def _fit(
    project: Project,
    model: Sequential,
    info: DatasetInfo,
    data: Prepared,
    emit: Emit,
    control: Control,
) -> Trained | None:
    settings = project.settings
    _add_metrics(model, info)
    watch = _Watch(info, figures(project, info), data, emit, control)
    model.fit(
        data.x_train,
        data.y_train,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        verbose=0,
        validation_data=data.validation_data,
        callbacks=[watch],
    )
    if watch.steps == 0:
        return None
    weights = {
        f"{layer.name}/{weight.name}": weight.value
        for layer in model.layers
        for weight in layer.weights
    }
    return Trained(project, weights, watch.history(), _report(project, info, model, data, watch))


def _add_metrics(model: Sequential, info: DatasetInfo) -> None:
    """What is measured without being chosen: the classes, or how well numbers are explained."""
    if info.class_names:
        model.metrics.append(ConfusionMatrix(len(info.class_names)))
    there = {metric if isinstance(metric, str) else metric.name for metric in model.metrics}
    for metric in map(metrics.make, ADVICE[info.kind].beside):
        if metric.name not in there:
            model.metrics.append(metric)


class _Watch(Callback):
    """Tells what happens, and obeys the control."""

    def __init__(
        self,
        info: DatasetInfo,
        figures: tuple[str, ...],
        data: Prepared,
        emit: Emit,
        control: Control,
    ) -> None:
        self.info = info
        self.figures = figures
        self.data = data
        self.emit = emit
        self.control = control
        self.steps = 0
        self.stopped = False
        self.last: EpochEnd | None = None
        # In columns: so many objects as epochs would keep the garbage collector busy.
        self._numbers = array("d")
        self._columns: dict[str, array[float]] = {}
        self._epoch = 0
        self._waited = 0.0
        self._told = 0.0
        self._untold: tuple[int, Mapping[str, Any] | None] = (0, None)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.batches = self.params["steps"]
        self.emit(
            Started(
                self.params["epochs"], self.batches, len(self.data.x_train),
                len(self.data.x_val), self.info.class_names, self.figures,
            )
        )  # fmt: skip
        self._started = perf_counter()

    @property
    def seconds(self) -> float:
        """Time spent training so far."""
        return perf_counter() - self._started - self._waited

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch + 1

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._obey()

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._obey(counts=False)

    def _obey(self, counts: bool = True) -> None:
        self._waited += self.control.wait(self._pause, lambda: self.emit(Resumed()), counts)
        if self.control.stopped:
            self.stopped = self.model.stop_training = self.model.stop_evaluating = True

    def _pause(self) -> None:
        """Who looks at a paused run wants to see the very batch that it stands at."""
        self._tell()
        self.emit(Paused())

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.steps += 1
        self._untold = (batch, logs)
        now = monotonic()
        if now - self._told >= INTERVAL or batch + 1 == self.batches:
            self._told = now
            self._tell()

    def _tell(self) -> None:
        batch, logs = self._untold
        self._untold = (0, None)
        if logs is None:
            return
        found = {name: _number(logs[name]) for name in ("loss", *self.figures)}
        self.emit(BatchEnd(self._epoch, batch + 1, self.steps, found, self.seconds))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        # An epoch that was cut short, in training or in its validation, has no figures.
        if self.stopped:
            return
        found = dict(logs or {})
        validated = "val_loss" in found
        matrix = found.get("val_confusion_matrix" if validated else "confusion_matrix")
        names = self.info.class_names
        figures = {name: _number(value) for name, value in found.items() if np.size(value) == 1}
        classes = () if matrix is None else class_figures(matrix, names)
        self.last = EpochEnd(epoch + 1, figures, classes, validated, self.seconds)
        for name in figures:
            if name not in self._columns:
                self._columns[name] = array("d", [nan] * self.epochs)
        self._numbers.append(epoch + 1)
        for name, column in self._columns.items():
            column.append(figures.get(name, nan))
        self.emit(self.last)

    @property
    def epochs(self) -> int:
        """How many have been finished."""
        return len(self._numbers)

    def history(self) -> dict[str, Array]:
        """The figures of the finished epochs, a column each."""
        columns = {"epoch": self._numbers, **self._columns}
        return {name: np.array(column) for name, column in columns.items()}


def _number(value: Any) -> float:
    """A figure as a number, also where it is the only one in an array."""
    return float(np.asarray(value).item())


def _report(
    project: Project, info: DatasetInfo, model: Sequential, data: Prepared, watch: _Watch
) -> dict[str, Any]:
    """Facts about the run, as JSON can hold them."""
    last = watch.last
    found: Mapping[str, float] = last.figures if last else {}
    document = to_document(project)
    return {
        "data": {
            "name": info.name,
            "title": info.title,
            "options": dict(project.data.options),
            "training_rows": len(data.x_train),
            "validation_rows": len(data.x_val),
            "preprocessing": data.preprocessing.get_config(),
            "classes": list(info.class_names),
        },
        "settings": document["settings"],
        "parameters": model.count_params(),
        "stopped": watch.stopped,
        "epochs": {"asked": project.settings.epochs, "finished": watch.epochs},
        "steps": watch.steps,
        "seconds": round(watch.seconds, 3),
        "figures": {name: value if isfinite(value) else None for name, value in found.items()},
        "classes": [vars(one) for one in last.classes] if last else [],
        "classes_of": "validation" if last and last.validated else "training",
        "versions": {
            "studio": studio.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
