"""The open project: its history, its file and what its check says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Signal

from studio.data.dataset import DatasetInfo
from studio.engine.errors import Fix
from studio.project.checks import Report, check
from studio.project.data_checks import info_of
from studio.project.file import Saved, load, save
from studio.project.history import History
from studio.project.problems import Problem
from studio.project.trained import Trained
from studio.project.values import Project
from studio.ui.aside import aside

UNTITLED = "Untitled"
BURST_SECONDS = 2.0
"""After so long a rest, the next change of the same field is a step of its own."""


class Document(QObject):
    """Holds the current project; every change goes through it.

    ``changed`` is emitted after each edit, undo, redo, opening and saving; ``opened`` when another
    project took the place of this one; ``stepped`` after undo and redo, with the project before.
    """

    changed = Signal()
    opened = Signal()
    stepped = Signal(object)

    def __init__(
        self, project: Project, title: str = UNTITLED, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._start(Saved(project), None, title)

    def _start(self, saved: Saved, path: Path | None, title: str) -> None:
        # First, so that nothing changes if it fails.
        self.report: Report = check(saved.project, info_of(saved.project))
        self._untitled = title
        self._edited = 0.0
        self.history = History(saved.project)
        self.path = path
        self.trained = saved.trained
        self._saved = (saved.project, saved.trained)

    @property
    def project(self) -> Project:
        """The project as it stands."""
        return self.history.current

    @property
    def info(self) -> DatasetInfo | None:
        """What is known of its data; None where they are not known."""
        return info_of(self.project)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep it from being trained."""
        return [found for found in self.report.problems if found.severity == "error"]

    @property
    def modified(self) -> bool:
        """Whether there is something that the file lacks."""
        project, trained = self._saved
        return self.project != project or self.trained is not trained

    @property
    def title(self) -> str:
        """The name of the file without its ending, or of the example."""
        return self.path.stem if self.path else self._untitled

    def edit(
        self, label: str, change: Callable[[Project], Project], merge: str | None = None
    ) -> None:
        """Replace the project by ``change`` of it, as a step of its own or part of a burst."""
        now = monotonic()
        if now - self._edited > BURST_SECONDS and self.history.burst is not None:
            self.history = replace(self.history, burst=None)
        self._edited = now
        self._go(self.history.push(label, change(self.project), merge))

    def apply(self, fix: Fix) -> None:
        """Do what a problem's button says."""
        self.edit(fix.label, fix.edit)

    def undo(self) -> None:
        """One step back."""
        self._step(self.history.undo())

    def redo(self) -> None:
        """One undone step again."""
        self._step(self.history.redo())

    def keep(self, trained: Trained) -> None:
        """Take over what a run has reached; it is saved with the project."""
        self.trained = trained
        self.changed.emit()

    def open(self, path: Path) -> None:
        """Take the project of a file.

        Raises:
            StudioError: if it cannot be read; then nothing changes.
        """
        self.take(aside(lambda: load(path)), path)

    def take(self, saved: Saved, path: Path | None = None, title: str = UNTITLED) -> None:
        """Take another project, from a file or under a title."""
        self._start(saved, path, title)
        self.opened.emit()
        self.changed.emit()

    def save(self, path: Path) -> None:
        """Write the project, and the weights of the last run.

        Raises:
            StudioError: if the file cannot be written.
        """
        saved = Saved(self.project, self.trained)
        aside(lambda: save(path, saved))
        self.path = path
        self._saved = (saved.project, saved.trained)
        self.changed.emit()

    def _step(self, history: History) -> None:
        before = self.project
        self._go(history)
        self.stepped.emit(before)

    def _go(self, history: History) -> None:
        if history is self.history:
            return
        if history.current is not self.history.current:
            self.report = check(history.current, info_of(history.current))
        self.history = history
        self.changed.emit()
