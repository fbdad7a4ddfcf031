"""What a run does, live: progress in words, curves, and the figures of each class."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from studio.data.dataset import DatasetInfo
from studio.project.propose import ADVICE
from studio.project.trained import Trained
from studio.training.events import (
    BatchEnd,
    ClassFigures,
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
from studio.ui.plot_card import PlotCard
from studio.ui.plots import ClassPlot, CurvePlot

REPAINT_MS = 50
FIGURES = {"accuracy": "Accuracy", "mae": "Mean absolute error"}
CLASSES = "Per class"
IDLE = "Press Train to begin"


class TrainingView(QWidget):
    """Takes events in order; draws at most 20 times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.status = QLabel(IDLE)
        self.status.setProperty("title", True)
        self.clock = QLabel()
        self.clock.setProperty("muted", True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of training")
        self.loss, self.figure, self.classes = CurvePlot(), CurvePlot(), ClassPlot()
        self.figure_card = PlotCard(FIGURES["accuracy"], self.figure, "●")
        self.class_card = PlotCard(CLASSES, self.classes, "■")
        line = self.fontMetrics().height()
        head = QHBoxLayout()
        head.setContentsMargins(line // 4, 0, line // 4, 0)
        head.addWidget(self.status, 1)
        head.addWidget(self.clock)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 2, line // 2, line // 2, line // 2)
        layout.setSpacing(line // 2)
        layout.addLayout(head)
        layout.addWidget(self.bar)
        for card in (PlotCard("Loss", self.loss, "●"), self.figure_card, self.class_card):
            layout.addWidget(card, 1)
        self._started: Started | None = None
        self._last: EpochEnd | None = None
        self._epoch_shown = 0
        self._timer = QTimer(self)
        self._timer.setInterval(REPAINT_MS)
        self._timer.timeout.connect(self._repaint)
        self.recolour()

    def recolour(self) -> None:
        """Take the colours of the current theme."""
        for plot in (self.loss, self.figure, self.classes):
            plot.recolour(theme.current())

    # Before and after a run

    def show_plan(self, epochs: object, info: DatasetInfo | None) -> None:
        """Empty axes for a run that has not begun: so many epochs, of those data."""
        if isinstance(epochs, int):
            for plot in (self.loss, self.figure):
                plot.set_range(epochs)
        if info is not None:
            self._prepare(ADVICE[info.kind].metrics[0], info.class_names)

    def show_trained(self, trained: Trained | None) -> None:
        """Show the curves of a run that was made before, or nothing."""
        self.clear()
        if trained is None:
            return
        history, report = trained.history, trained.report
        figure = next((name for name in FIGURES if name in history), "accuracy")
        classes = [ClassFigures(**one) for one in report.get("classes", ())]
        self._prepare(figure, [one.name for one in classes])
        epochs = history["epoch"]
        for plot, column in ((self.loss, "loss"), (self.figure, figure)):
            plot.set_range(len(epochs))
            for name, key in (("training", column), ("validation", f"val_{column}")):
                for x, y in zip(epochs, history.get(key, ()), strict=False):
                    plot.add(name, x, y)
            plot.show_points()
        if classes:
            self._show_classes(classes, report.get("classes_of") == "validation")
        self._show_result(f"Trained for {len(epochs)} epochs", trained)
        self.bar.setRange(0, 1)
        self.bar.setValue(1)

    def clear(self) -> None:
        """Forget all curves."""
        for plot in (self.loss, self.figure):
            plot.clear_points()
            plot.recolour(theme.current())
        self.classes.start(())
        self.class_card.set_title(CLASSES)
        self.bar.reset()
        self.clock.clear()
        self.status.setText(IDLE)

    def _prepare(self, figure: str, classes: object) -> None:
        self.figure_card.set_title(FIGURES.get(figure, figure))
        names = tuple(classes) if isinstance(classes, tuple | list) else ()
        self.class_card.setVisible(bool(names))
        self.classes.start(names)

    # During a run

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
                self._end("Stopped", trained)
            case Finished(trained):
                self._end("Finished", trained)
            case Failed():
                self._end("Failed", None)

    def _start(self, event: Started) -> None:
        self.clear()
        self._started, self._last, self._epoch_shown = event, None, 0
        self._prepare(event.figure, event.classes)
        for plot in (self.loss, self.figure):
            plot.set_range(event.epochs)
        self.bar.setRange(0, event.epochs * event.batches)
        self.status.setText(f"Training on {event.samples:,} samples")
        self._timer.start()

    def _batch(self, event: BatchEnd) -> None:
        started = self._started
        if started is None:
            return
        if event.epoch != self._epoch_shown:
            self._epoch_shown = event.epoch
            self.loss.break_line()
            self.figure.break_line()
        epoch = event.steps / started.batches
        self.loss.add("batches", epoch, event.loss)
        self.figure.add("batches", epoch, event.figure)
        self.bar.setValue(event.steps)
        rest = event.seconds / event.steps * (started.epochs * started.batches - event.steps)
        self.status.setText(
            f"Epoch {event.epoch} of {started.epochs} · batch {event.batch} of {started.batches}"
        )
        self.clock.setText(f"{duration(event.seconds)} elapsed · {duration(rest)} left")

    def _epoch(self, event: EpochEnd) -> None:
        self._last = event
        name = self._started.figure if self._started else "accuracy"
        for plot, key in ((self.loss, "loss"), (self.figure, name)):
            plot.add("training", event.epoch, event.figures.get(key, float("nan")))
            plot.add("validation", event.epoch, event.figures.get(f"val_{key}", float("nan")))

    def _end(self, words: str, trained: Trained | None) -> None:
        self._timer.stop()
        self._repaint()
        self._show_result(words, trained)

    def _show_result(self, words: str, trained: Trained | None) -> None:
        if trained is not None:
            report = trained.report
            figures = report["figures"]
            name = next((key for key in FIGURES if f"val_{key}" in figures), None)
            if name is not None:
                words += f" · validation {FIGURES[name].lower()} {figures[f'val_{name}']:.4g}"
            self.clock.setText(f"{duration(report['seconds'])} for {report['steps']:,} batches")
        self.status.setText(words)

    def _repaint(self) -> None:
        self.loss.show_points()
        self.figure.show_points()
        if self._last is not None and self._last.classes:
            self._show_classes(self._last.classes, self._last.validated)
            self._last = None

    def _show_classes(self, classes: object, validated: bool) -> None:
        self.classes.show_figures(classes)  # pyright: ignore[reportArgumentType]
        self.class_card.set_title(f"{CLASSES} ({'validation' if validated else 'training'})")


def duration(seconds: float) -> str:
    """Seconds as people read them: ``"4.2 s"``, ``"3:05"``, ``"1:02:03"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
