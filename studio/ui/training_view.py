"""What a run does, live: progress in words, curves, and the figures of each class."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from studio.project.trained import Trained
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
from studio.ui import theme
from studio.ui.plots import ClassPlot, CurvePlot

REPAINT_MS = 50
FIGURES = {"accuracy": "Accuracy", "mae": "Mean absolute error"}
pg.setConfigOptions(antialias=False)


class TrainingView(QWidget):
    """Takes events in order; draws at most 20 times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.status = QLabel("Press Train to begin.")
        self.status.setProperty("heading", True)
        self.clock = QLabel()
        self.clock.setProperty("muted", True)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName("Progress of training")
        self.loss = CurvePlot("Loss", legend=(-8, 4))
        self.figure = CurvePlot("Accuracy", legend=(-8, -8))
        self.classes = ClassPlot()
        self.status.setMinimumWidth(1)
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.clock)
        layout = QVBoxLayout(self)
        layout.addWidget(self.status)
        layout.addLayout(progress)
        for plot in (self.loss, self.figure, self.classes):
            layout.addWidget(plot, 1)
        self._started: Started | None = None
        self._last: EpochEnd | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(REPAINT_MS)
        self._timer.timeout.connect(self._repaint)
        self.recolour()

    def recolour(self) -> None:
        """Take the colours of the current theme."""
        for plot in (self.loss, self.figure, self.classes):
            plot.recolour(theme.current())

    def take(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Started():
                self._start(event)
            case BatchEnd():
                self._batch(event)
            case EpochEnd():
                self._epoch(event)
            case Paused():
                self.status.setText(self.status.text().split(" — ")[0] + " — paused")
            case Resumed():
                self.status.setText(self.status.text().split(" — ")[0])
            case Stopped(trained):
                kept = "; what it reached is kept" if trained else ""
                self._end(f"Stopped{kept}", trained)
            case Finished(trained):
                self._end("Finished", trained)
            case Failed(error):
                self._end(f"Failed: {error}", None)

    def show_trained(self, trained: Trained | None) -> None:
        """Show the curves of a run that was made before, or nothing."""
        self.clear()
        if trained is None:
            return
        history = trained.history
        figure = next((name for name in FIGURES if name in history), "accuracy")
        self._name(figure)
        epochs = history["epoch"]
        for plot, column in ((self.loss, "loss"), (self.figure, figure)):
            plot.set_range(len(epochs))
            for name, key in (("training", column), ("validation", f"val_{column}")):
                for x, y in zip(epochs, history.get(key, ()), strict=False):
                    plot.add(name, x, y)
            plot.show_points()
        self.status.setText(f"Trained for {len(epochs)} epochs")
        self.bar.setRange(0, 1)
        self.bar.setValue(1)

    def clear(self) -> None:
        """Forget all curves."""
        for plot in (self.loss, self.figure):
            plot.clear_points()
        self.classes.start(())
        self.bar.reset()
        self.clock.clear()
        self.status.setText("Press Train to begin.")

    def _name(self, figure: str) -> None:
        self.figure.heading = FIGURES.get(figure, figure)
        self.figure.recolour(theme.current())

    def _start(self, event: Started) -> None:
        self.clear()
        self._started, self._last = event, None
        self._name(event.figure)
        for plot in (self.loss, self.figure):
            plot.set_range(event.epochs)
        self.classes.setVisible(bool(event.classes))
        self.classes.start(event.classes)
        self.bar.setRange(0, event.epochs * event.batches)
        self.status.setText(f"Training on {event.samples:,} samples")
        self._timer.start()

    def _batch(self, event: BatchEnd) -> None:
        started = self._started
        if started is None:
            return
        epoch = event.steps / started.batches
        self.loss.add("batches", epoch, event.loss)
        self.figure.add("batches", epoch, event.figure)
        self.bar.setValue(event.steps)
        total = started.epochs * started.batches
        rest = event.seconds / event.steps * (total - event.steps)
        self.status.setText(
            f"Epoch {event.epoch} of {started.epochs}, batch {event.batch} of {started.batches}"
            f"   ·   loss {event.loss:.4g}   ·   {started.figure} {event.figure:.4g}"
        )
        self.clock.setText(f"{duration(event.seconds)} elapsed, {duration(rest)} left")

    def _epoch(self, event: EpochEnd) -> None:
        self._last = event
        name = self._started.figure if self._started else "accuracy"
        for plot, key in ((self.loss, "loss"), (self.figure, name)):
            plot.add("training", event.epoch, event.figures.get(key, float("nan")))
            plot.add("validation", event.epoch, event.figures.get(f"val_{key}", float("nan")))

    def _end(self, words: str, trained: Trained | None) -> None:
        self._timer.stop()
        self._repaint()
        if trained is not None:
            report = trained.report
            figures = report["figures"]
            wanted = [name for name in (*FIGURES, "loss") if f"val_{name}" in figures]
            shown = [f"{name} {figures[f'val_{name}']:.4g}" for name in wanted]
            words = f"{words}   ·   validation " + ", ".join(shown) if shown else words
            self.clock.setText(f"{duration(report['seconds'])} for {report['steps']:,} batches")
        self.status.setText(words)

    def _repaint(self) -> None:
        self.loss.show_points()
        self.figure.show_points()
        if self._last is not None and self._last.classes:
            self.classes.show_figures(self._last.classes, self._last.validated)


def duration(seconds: float) -> str:
    """Seconds as people read them: ``"4.2 s"``, ``"3:05"``, ``"1:02:03"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
