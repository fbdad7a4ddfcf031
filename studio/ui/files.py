"""New, open, save, export: everything that asks for a file, and for work that would be lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu, QMessageBox, QWidget

from studio.engine.errors import StudioError
from studio.export.keras import data_path, export_keras, keras_code
from studio.project.examples import EXAMPLES, Example
from studio.project.file import SUFFIX, Saved, load
from studio.project.values import Project
from studio.ui.aside import aside
from studio.ui.code_dialog import CodeDialog
from studio.ui.document import Document
from studio.ui.notice import NoticeBar
from studio.ui.runner import Runner

FILTER = f"Sequential Studio (*{SUFFIX})"
REMEMBERED = 8
"""How many files the menu of recent ones holds."""


class Files(QObject):
    """The files of the document.

    Args:
        window: stands behind the dialogs.
        document: what is opened into and saved.
        runner: has to end before another project takes the place of this one.
        notice: tells what went wrong.
        settings: remembers the folder and the recent files.

    ``problem_found`` carries a problem that keeps the project from being exported.
    """

    problem_found = Signal(object)

    def __init__(
        self,
        window: QWidget,
        document: Document,
        runner: Runner,
        notice: NoticeBar,
        settings: QSettings,
    ) -> None:
        super().__init__(window)
        self.window = window
        self.document = document
        self.runner = runner
        self.notice = notice
        self.settings = settings

    # Opening

    def new(self) -> None:
        """Start with an empty stack on the same data."""
        if self.may_leave():
            project = self.document.project
            self.document.take(Saved(Project(data=project.data, settings=project.settings)))

    def open(self, path: Path | None = None) -> None:
        """Open a project; asks which one if it is not said."""
        if path is None:
            name, _ = QFileDialog.getOpenFileName(
                self.window, "Open a project", self._folder(), FILTER
            )
            if not name:
                return
            path = Path(name)
        # What is there is given up for a file that can be read; saving may write that very file.
        readable = self._attempt(lambda: aside(lambda: load(path)))
        if readable and self.may_leave() and self._attempt(lambda: self.document.open(path)):
            self._remember(path)

    def open_example(self, example: Example) -> None:
        """Take a shipped project, which has no file yet."""
        if self.may_leave():
            self.document.take(Saved(example.project), title=example.title)

    def fill_examples(self, menu: QMenu) -> None:
        """Offer the shipped projects."""
        menu.clear()
        menu.setToolTipsVisible(True)
        for example in EXAMPLES:
            action = menu.addAction(example.title)
            action.setToolTip(example.description)
            action.triggered.connect(lambda _=False, example=example: self.open_example(example))

    @property
    def recent(self) -> list[Path]:
        """The files used last, the newest first."""
        found = self.settings.value("recent", [])
        names = [found] if isinstance(found, str) else found
        return [Path(str(name)) for name in names] if isinstance(names, list) else []

    def fill_recent(self, menu: QMenu) -> None:
        """Offer the files used last."""
        menu.clear()
        menu.setToolTipsVisible(True)
        for path in self.recent:
            action = menu.addAction(path.name.replace("&", "&&"))
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, path=path: self.open(path))
        if menu.isEmpty():
            menu.addAction("None yet").setEnabled(False)

    # Saving

    def save(self) -> bool:
        """Save; asks where if the project has no file yet. Whether it was saved."""
        path = self.document.path
        return self.save_as() if path is None else self._save(path)

    def save_as(self) -> bool:
        """Ask where, and save there."""
        start = self.document.path or Path(self._folder()) / f"{self.document.title}{SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(self.window, "Save the project", str(start), FILTER)
        if not name:
            return False
        path = _ending(Path(name), SUFFIX)
        # The dialog has asked about what was typed, not about the name with its ending.
        return self._may_replace(path, asked=Path(name)) and self._save(path)

    def _save(self, path: Path) -> bool:
        saved = self._attempt(lambda: self.document.save(path))
        if saved:
            self._remember(path)
        return saved

    def export_keras(self) -> None:
        """Show the Keras code, and save it with its data if wanted."""
        project = self.document.project
        if not self.document.report.ok:
            self.problem_found.emit(self.document.errors[0])
            return
        dialog = CodeDialog(aside(lambda: keras_code(project)), self.window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            start = Path(self._folder()) / f"{self.document.title.lower().replace(' ', '_')}.py"
            name, _ = QFileDialog.getSaveFileName(
                self.window, "Save the code", str(start), "Python (*.py)"
            )
            if name:
                path = _ending(Path(name), ".py")
                # Who replaces the code wants its data replaced too.
                other = path if path.exists() else data_path(path)
                if self._may_replace(other, asked=Path(name)):
                    self.write_keras(path)
        dialog.deleteLater()

    def write_keras(self, path: Path) -> None:
        """Save the Keras code and its data."""
        project = self.document.project
        if self._attempt(lambda: aside(lambda: export_keras(project, path))):
            words = f"Saved {path.name} and, beside it, {data_path(path).name} that it reads."
            self.notice.show_message(words, kind="info")

    # Leaving

    def may_leave(self) -> bool:
        """Ask what to do with unsaved changes and with a run under way. Whether to go on.

        A run waits while the question stands; it goes on if the answer is to stay.
        """
        running, waiting = self.runner.running, self.runner.paused
        if not self.document.modified and not running:
            return True
        if running and not waiting:
            self.runner.toggle_pause()
        answer = self._ask(running)
        buttons = QMessageBox.StandardButton
        # A question that is taken away has no answer at all.
        if answer not in (buttons.Save, buttons.Discard):
            if self.runner.running and not waiting:
                self.runner.toggle_pause()
            return False
        self.runner.finish()
        return answer == buttons.Discard or self.save()

    def _may_replace(self, path: Path, asked: Path) -> bool:
        """Whether a file that is there may be replaced; asks unless that has been asked already."""
        if path == asked or not path.exists():
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self.window,
            "Replace the file",
            f"{path.name} is there already. Replace it?",
            buttons.Yes | buttons.No,
            buttons.No,
        )
        return answer == buttons.Yes

    def _ask(self, running: bool) -> QMessageBox.StandardButton:
        buttons = QMessageBox.StandardButton
        title = self.document.title
        words = (
            f"Stop training and save {title} with what training has reached?"
            if running
            else f"Save the changes to {title}?"
        )
        return QMessageBox.question(
            self.window,
            "Training is under way" if running else "Unsaved changes",
            words,
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Do something with a file; an error is told, and whether there was none."""
        try:
            act()
        except StudioError as error:
            self.notice.show_message(str(error))
            return False
        return True

    def _folder(self) -> str:
        return str(self.settings.value("folder", ""))

    def _remember(self, path: Path) -> None:
        path = path.absolute()
        self.settings.setValue("folder", str(path.parent))
        recent = [path, *(other for other in self.recent if other != path)]
        self.settings.setValue("recent", [str(one) for one in recent[:REMEMBERED]])


def _ending(path: Path, suffix: str) -> Path:
    """The path, with an ending where it has another or none."""
    return path if path.suffix == suffix else path.with_name(path.name + suffix)
