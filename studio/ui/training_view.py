"""What a run does, live: progress in words, curves, and the figures of each class."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from studio.data.dataset import DatasetInfo
from studio.project.data_checks import info_of
from studio.project.metrics import figure_help, figure_title, figures
from studio.project.trained import Trained
from studio.project.values import Project
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
from studio.ui.head import Head
from studio.ui.plot_card import Option, PlotCard
from studio.ui.plots import ClassPlot, CurvePlot, Curves
from studio.ui.still import Still
from studio.ui.words import Elided

FIGURES = {"accuracy": ("Accuracy", "accuracy"), "mae": ("MAE (standardised)", "MAE")}
"""The usual figures beside the loss: the title of the plot, and the word in a sentence."""
STANDARDISED = "The target is standardised: 1 is its standard deviation in the training part."
CLASSES = "Per class"
IDLE = "Press Train to begin"
EARLIER = "The stack or the data have changed since."
LONGEST_BAR = 2**31 - 1
"""The largest number that the progress bar can show."""


class TrainingView(QWidget):
    """Takes the events of a run as they are delivered, and draws once for all of them.

    While a run goes on, one plot is drawn at each delivery: the window answers in between.
    """

    def __init__(self) -> None:
        super().__init__()
        self.status = Elided(IDLE)
        self.status.setProperty("heading", True)
        self.clock = QLabel()
        self.clock.setProperty("muted", True)
        self.clock.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.earlier = QLabel(EARLIER, wordWrap=True)
        self.earlier.setProperty("muted", True)
        self.earlier.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of training")
        self.loss, self.figure, self.classes = CurvePlot(), CurvePlot(), ClassPlot()
        self.loss_card = PlotCard("Loss", self.loss, "●")
        self.figure_card = PlotCard("Accuracy", self.figure, "●")
        self.class_card = PlotCard(CLASSES, self.classes, "■")
        self.figure_card.chosen.connect(self.show_figure)
        self._curves: dict[str, Curves] = {}
        self._figure = ""
        line = self.fontMetrics().height()
        head = Head([Still(self.status)], Still(self.clock))
        for widget in (head, self.earlier):
            widget.setContentsMargins(line // 4, 0, line // 4, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 2, line // 2, line // 2, line // 2)
        layout.setSpacing(line // 2)
        for widget in (head, self.earlier, self.bar):
            layout.addWidget(widget)
        for card in (self.loss_card, self.figure_card, self.class_card):
            layout.addWidget(card, 1)
        self._turns = deque((self.loss.show_points, self.figure.show_points, self._draw_classes))
        self._started: Started | None = None
        self._now: BatchEnd | None = None
        self._ended: EpochEnd | None = None
        self._waits = False
        self._result: Trained | None = None
        self.recolour()

    def recolour(self) -> None:
        """Take the colours of the current theme."""
        for plot in (self.loss, self.figure, self.classes):
            plot.recolour(theme.current())

    # Before and after a run

    def show_plan(self, project: Project, info: DatasetInfo | None) -> None:
        """Empty axes for a run of a project that has not begun, on those data."""
        epochs: object = project.settings.epochs
        if isinstance(epochs, int):
            for plot in (self.loss, self.figure):
                plot.set_range(epochs)
        if info is not None:
            self._prepare(figures(project, info), info.class_names)

    def show_figure(self, name: str) -> None:
        """Draw that one of the figures beside the loss, with all of its points so far."""
        self._figure = name
        self.figure.take(self._curves.setdefault(name, Curves()))
        self.figure_card.set_title(_title(name))

    def show_trained(self, trained: Trained | None) -> None:
        """Show the curves of a run that was made before, or nothing."""
        self.clear()
        if trained is None:
            return
        history, report = trained.history, trained.report
        found: Sequence[str] = [name for name in trained.figures if name != "loss"]
        if not found:
            # It was stopped within its first epoch.
            info = info_of(trained.project)
            found = figures(trained.project, info) if info else ["accuracy"]
        classes = [ClassFigures(**one) for one in report.get("classes", ())]
        self._prepare(found, [one.name for one in classes])
        epochs = history["epoch"]
        for column, curves in self._curves.items():
            for name, key in (("training", column), ("validation", f"val_{column}")):
                for x, y in zip(epochs, history.get(key, ()), strict=False):
                    curves.add(name, x, y)
        for plot in (self.loss, self.figure):
            plot.set_range(len(epochs))
            plot.show_points()
        if classes:
            self._show_classes(classes, report.get("classes_of") == "validation")
        self._show_result(f"Trained for {len(epochs)} epochs", trained)
        self.bar.setRange(0, 1)
        self.bar.setValue(1)

    def compare(self, project: Project) -> None:
        """Say so where the result that is shown is not that of the project."""
        self.earlier.setVisible(self._result is not None and not self._result.describes(project))

    def clear(self) -> None:
        """Forget all curves."""
        self._curves = {}
        self._result = None
        self.earlier.hide()
        for plot in (self.loss, self.figure):
            plot.take(Curves())
        self.classes.start(())
        self.class_card.set_title(CLASSES)
        self.bar.reset()
        self.clock.clear()
        self.status.setText(IDLE)

    def _prepare(self, names: Sequence[str], classes: Sequence[str]) -> None:
        # A plan that changes keeps what the last run has drawn.
        self._curves = {name: self._curves.get(name) or Curves() for name in ("loss", *names)}
        shown = self._figure if self._figure in names else names[0]
        options = [Option(name, _title(name), figure_help(name)) for name in names]
        self.figure_card.set_options(options, shown)
        self.loss.take(self._curves["loss"])
        self.figure.take(self._curves[shown])
        for card in (self.loss_card, self.figure_card):
            card.set_tip("" if classes else STANDARDISED)
        self.class_card.setVisible(bool(classes))
        self.classes.start(classes)

    # During a run

    def take(self, events: Sequence[Event]) -> None:
        """Show what happened since the last time; of what is only seen for a moment, the last.

        Where nothing happened, what has not been drawn yet is.
        """
        for event in events:
            match event:
                case Started():
                    self._start(event)
                case BatchEnd():
                    self._batch(event)
                case EpochEnd():
                    self._epoch(event)
                case Paused():
                    self._waits = True
                case Resumed():
                    self._waits = False
                case _:
                    pass
        last = events[-1] if events else None
        if events and self._now is not None and self._started is not None:
            self._show_progress(self._now, self._started)
        self._draw(everything=isinstance(last, Paused | Stopped | Finished | Failed))
        match last:
            case Stopped(trained):
                self._show_result("Stopped", trained)
            case Finished(trained):
                self._show_result("Finished", trained)
            case Failed():
                self._show_result("Failed", None)
            case _:
                pass

    def _start(self, event: Started) -> None:
        self.clear()
        self._started, self._now, self._ended, self._waits = event, None, None, False
        self._prepare(event.figures, event.classes)
        for plot in (self.loss, self.figure):
            plot.set_range(event.epochs)
        self.bar.setRange(0, min(event.epochs * event.batches, LONGEST_BAR))
        self.status.setText(f"Training on {event.samples:,} samples")

    def _batch(self, event: BatchEnd) -> None:
        if self._now is not None and event.epoch != self._now.epoch:
            for curves in self._curves.values():
                curves.break_line()
        self._now = event
        if self._started is not None:
            epoch = event.steps / self._started.batches
            for name, value in event.figures.items():
                self._curves[name].add("batches", epoch, value)

    def _epoch(self, event: EpochEnd) -> None:
        self._ended = event
        for name, curves in self._curves.items():
            for curve, key in (("training", name), ("validation", f"val_{name}")):
                curves.add(curve, event.epoch, event.figures.get(key, float("nan")))

    def _draw(self, everything: bool) -> None:
        """Draw what has changed: all of it, or the plot whose turn it is."""
        for draw in tuple(self._turns):
            self._turns.rotate(-1)
            if draw() and not everything:
                break

    def _draw_classes(self) -> bool:
        if self._ended is None or not self._ended.classes:
            return False
        self._show_classes(self._ended.classes, self._ended.validated)
        self._ended = None
        return True

    def _show_progress(self, now: BatchEnd, started: Started) -> None:
        batches = started.epochs * started.batches
        self.bar.setValue(now.steps * self.bar.maximum() // batches)
        rest = now.seconds / now.steps * (batches - now.steps)
        words = f"Epoch {now.epoch} of {started.epochs} · batch {now.batch} of {started.batches}"
        self.status.setText(f"{words} — paused" if self._waits else words)
        self.clock.setText(f"{duration(now.seconds)} elapsed · {duration(rest)} left")

    def _show_result(self, words: str, trained: Trained | None) -> None:
        self._result = trained
        if trained is not None:
            report = trained.report
            for name, (_, word) in FIGURES.items():
                value = report["figures"].get(f"val_{name}")
                if value is not None:
                    words += f" · validation {word} {value:.4g}"
            self._show_spent(report["seconds"], report["steps"])
        elif self._now is not None:
            self._show_spent(self._now.seconds, self._now.steps)
        self.status.setText(words)

    def _show_spent(self, seconds: float, steps: int) -> None:
        self.clock.setText(f"{duration(seconds)} for {steps:,} batches")

    def _show_classes(self, classes: Sequence[ClassFigures], validated: bool) -> None:
        self.classes.show_figures(classes)
        self.class_card.set_title(f"{CLASSES} ({'validation' if validated else 'training'})")


def _title(figure: str) -> str:
    return FIGURES[figure][0] if figure in FIGURES else figure_title(figure)


def duration(seconds: float) -> str:
    """Seconds as people read them: ``"4.2 s"``, ``"3:05"``, ``"1:02:03"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
