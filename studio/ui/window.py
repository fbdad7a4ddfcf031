"""The main window: it puts the parts together and answers to the actions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

import studio
from studio.engine.errors import StudioError
from studio.engine.layers.base import shape_text
from studio.export.keras import export_keras, keras_code
from studio.project.examples import START
from studio.project.file import SUFFIX, Saved
from studio.project.values import Project
from studio.training.events import Event, Failed, Finished, Stopped
from studio.ui import style
from studio.ui.actions import colour_actions, make_actions, make_toolbar
from studio.ui.block_panel import BlockPanel
from studio.ui.code_dialog import CodeDialog
from studio.ui.data_panel import DataPanel
from studio.ui.document import Document
from studio.ui.layer_palette import LayerPalette
from studio.ui.notice import NoticeBar
from studio.ui.runner import Runner
from studio.ui.stack_view import StackView
from studio.ui.training_panel import TrainingPanel
from studio.ui.training_view import TrainingView

FILTER = f"Sequential Studio (*{SUFFIX})"


class MainWindow(QMainWindow):
    """Palette, stack, live plots and settings side by side."""

    def __init__(self, settings: QSettings, project: Project | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.document = Document(project or START.project, self)
        self.runner = Runner(self)
        self.palette_view = LayerPalette()
        self.stack = StackView(self.document)
        self.stack.forget()
        self.training_view = TrainingView()
        self.block_panel = BlockPanel(self.document)
        self.data_panel = DataPanel(self.document)
        self.training_panel = TrainingPanel(self.document)
        self.notice = NoticeBar()
        self.input_label, self.total_label = QLabel(), QLabel()
        self.tabs = QTabWidget()
        self._assemble()
        self.actions_by_name = make_actions(self)
        make_toolbar(self, self.actions_by_name)
        self._connect()
        self._restore()
        self._follow()

    # Building

    def _assemble(self) -> None:
        for panel, name in (
            (self.block_panel, "Block"),
            (self.data_panel, "Data"),
            (self.training_panel, "Training"),
        ):
            area = QScrollArea(widgetResizable=True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(panel)
            self.tabs.addTab(area, name)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        line = self.fontMetrics().height()
        for part, width in (
            (self.palette_view, 13),
            (self._stack_column(), 22),
            (self.training_view, 30),
            (self.tabs, 23),
        ):
            part.setMinimumWidth(int(width * 0.65 * line))
            self.splitter.addWidget(part)
        self.splitter.setSizes([width * line for width in (12, 22, 30, 23)])
        self.splitter.setStretchFactor(2, 1)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.splitter, 1)
        self.setCentralWidget(middle)

    def _stack_column(self) -> QWidget:
        column = QWidget()
        layout = QVBoxLayout(column)
        line = self.fontMetrics().height()
        layout.setContentsMargins(0, line // 2, 0, line // 2)
        layout.setSpacing(line // 4)
        for label in (self.input_label, self.total_label):
            label.setProperty("muted", True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.input_label)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.total_label)
        return column

    def _connect(self) -> None:
        self.palette_view.chosen.connect(self.stack.insert)
        self.stack.selected.connect(self.block_panel.show_block)
        self.stack.selected.connect(
            lambda found: found is not None and self.tabs.setCurrentIndex(0)
        )
        self.document.changed.connect(self._follow)
        self.document.opened.connect(self._opened)
        self.runner.happened.connect(self._take)
        self.runner.changed.connect(self._follow)

    def sizeHint(self) -> QSize:  # noqa: N802
        line = self.fontMetrics().height()
        return QSize(84 * line, 46 * line)

    # Following the document

    def _follow(self) -> None:
        document, report = self.document, self.document.report
        self.setWindowTitle(f"{document.title}[*] — Sequential Studio")
        self.setWindowModified(document.modified)
        info = document.info
        self.input_label.setText(
            f"{info.title}: {shape_text((None, *info.input_shape))}" if info else "Unknown data"
        )
        errors = sum(problem.severity == "error" for problem in report.problems)
        trouble = f"   ·   {errors} problem{'s' * (errors > 1)}" if errors else ""
        self.total_label.setText(f"{report.total_params:,} parameters{trouble}")
        actions, running = self.actions_by_name, self.runner.running
        history = document.history
        for name, able, label in (
            ("undo", history.can_undo, history.undo_label),
            ("redo", history.can_redo, history.redo_label),
        ):
            actions[name].setEnabled(able)
            actions[name].setText(f"&{name.capitalize()} {label.lower()}".rstrip())
            actions[name].setIconText(name.capitalize())
        actions["train"].setEnabled(not running)
        for name in ("pause", "stop", "step"):
            actions[name].setEnabled(running)
        actions["pause"].setIconText("Resume" if self.runner.paused else "Pause")

    def _opened(self) -> None:
        self.stack.forget()
        self.stack.choose(None)
        self.training_view.show_trained(self.document.trained)

    # Files

    def new(self) -> None:
        """Start with an empty stack on the same data."""
        if self._may_leave():
            project = self.document.project
            self.document.replace(Saved(Project(data=project.data, settings=project.settings)))

    def open(self, path: Path | None = None) -> None:
        """Open a project; asks which one if it is not said."""
        if not self._may_leave():
            return
        if path is None:
            start = self.settings.value("folder", "")
            name, _ = QFileDialog.getOpenFileName(self, "Open a project", str(start), FILTER)
            if not name:
                return
            path = Path(name)
        if self.runner.running:
            self.runner.finish()
        self._attempt(lambda: self.document.open(path))
        self.settings.setValue("folder", str(path.parent))

    def save(self) -> bool:
        """Save; asks where if the project has no file yet. Whether it was saved."""
        path = self.document.path
        return self.save_as() if path is None else self._attempt(lambda: self.document.save(path))

    def save_as(self) -> bool:
        """Ask where, and save there."""
        start = self.document.path or Path(str(self.settings.value("folder", ""))) / (
            f"{self.document.title}{SUFFIX}"
        )
        name, _ = QFileDialog.getSaveFileName(self, "Save the project", str(start), FILTER)
        if not name:
            return False
        path = Path(name)
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        self.settings.setValue("folder", str(path.parent))
        return self._attempt(lambda: self.document.save(path))

    def export_keras(self) -> None:
        """Show the Keras code, and save it with its data if wanted."""
        if not self._ready():
            return
        dialog = CodeDialog(keras_code(self.document.project), self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            start = Path(str(self.settings.value("folder", ""))) / "model.py"
            name, _ = QFileDialog.getSaveFileName(
                self, "Save the code", str(start), "Python (*.py)"
            )
            if name:
                self.write_keras(Path(name))
        dialog.deleteLater()

    def write_keras(self, path: Path) -> None:
        """Save the Keras code and its data."""
        if self._attempt(lambda: export_keras(self.document.project, path)):
            self.notice.show_message(f"Saved {path.name} and its data.", kind="info")

    def _attempt(self, act: object) -> bool:
        """Do something with a file; an error is told, and whether there was none."""
        try:
            act()  # pyright: ignore[reportCallIssue]
        except StudioError as error:
            self.notice.show_message(str(error))
            return False
        return True

    def _may_leave(self) -> bool:
        """Ask what to do with unsaved changes. Whether to go on."""
        if not self.document.modified:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "Unsaved changes",
            f"Save the changes to {self.document.title}?",
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        if answer == buttons.Save:
            return bool(self.save())
        return answer == buttons.Discard

    # Editing

    def undo(self) -> None:
        """One step back."""
        self.document.undo()

    def redo(self) -> None:
        """One undone step again."""
        self.document.redo()

    def remove_block(self) -> None:
        """Remove the selected block."""
        self.stack.remove()

    def duplicate_block(self) -> None:
        """Copy the selected block."""
        self.stack.duplicate()

    def block_up(self) -> None:
        """Move the selected block up."""
        self.stack.shift(-1)

    def block_down(self) -> None:
        """Move the selected block down."""
        self.stack.shift(1)

    # Training

    def train(self) -> None:
        """Train the project as it stands, unless a problem forbids it."""
        if not self.runner.running and self._ready():
            self.notice.hide()
            self.runner.start(self.document.project)

    def _ready(self) -> bool:
        """Whether there is no problem; the first one is shown where it is, with its fixes."""
        found = next((p for p in self.document.report.problems if p.severity == "error"), None)
        if found is None:
            return True
        if isinstance(found.where, int):
            self.stack.choose(found.where)
        else:
            self.tabs.setCurrentIndex({"data": 1, "settings": 2}.get(found.where, 0))
        fixes = [(fix.label, lambda fix=fix: self.document.apply(fix)) for fix in found.fixes]
        self.notice.show_message(f"The stack can't be trained yet. {found.message}", fixes)
        return False

    def pause(self) -> None:
        """Pause the run, or go on."""
        if self.runner.running:
            self.runner.toggle_pause()

    def step(self) -> None:
        """One batch, then pause."""
        if self.runner.running:
            self.runner.step()

    def stop(self) -> None:
        """End the run."""
        self.runner.stop()

    def _take(self, event: Event) -> None:
        self.training_view.take(event)
        if isinstance(event, Failed):
            self.notice.show_message(str(event.error))
        elif isinstance(event, Finished | Stopped) and event.trained is not None:
            self.document.keep(event.trained)

    # View

    def find_block(self) -> None:
        """Put the cursor into the palette's search."""
        self.palette_view.search.setFocus()
        self.palette_view.search.selectAll()

    def show_stack(self) -> None:
        """Put the cursor into the stack."""
        self.stack.setFocus()

    def show_properties(self) -> None:
        """Show the settings of the selected block."""
        self._show_tab(0)

    def show_data(self) -> None:
        """Show the data."""
        self._show_tab(1)

    def show_training(self) -> None:
        """Show the settings of training."""
        self._show_tab(2)

    def _show_tab(self, index: int) -> None:
        self.tabs.setCurrentIndex(index)
        self.tabs.setFocus()
        self.focusNextChild()

    def follow_system(self) -> None:
        """Take the colours of the desktop."""
        self.show_scheme("system")

    def go_light(self) -> None:
        """Take light colours."""
        self.show_scheme("light")

    def go_dark(self) -> None:
        """Take dark colours."""
        self.show_scheme("dark")

    def show_scheme(self, scheme: style.Scheme) -> None:
        """Take the colours of a scheme, and remember it."""
        self.settings.setValue("scheme", scheme)
        style.apply(scheme)
        for name, of in (("follow_system", "system"), ("go_light", "light"), ("go_dark", "dark")):
            self.actions_by_name[name].setChecked(of == scheme)
        colour_actions(self.actions_by_name)
        self.training_view.recolour()
        for view in (self.stack, self.palette_view.list):
            view.viewport().update()

    def about(self) -> None:
        """Say what this is."""
        QMessageBox.about(
            self,
            "Sequential Studio",
            f"<b>Sequential Studio {studio.__version__}</b><p>Build, train and export neural "
            "networks block by block.</p><p>MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0. "
            "Other data as in scikit-learn, BSD 3-Clause.</p>",
        )

    # Opening and closing

    def _restore(self) -> None:
        geometry = self.settings.value("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(self.sizeHint().boundedTo(self.screen().availableSize()))
        scheme = self.settings.value("scheme", "system")
        self.show_scheme(scheme if scheme in ("light", "dark") else "system")
        QTimer.singleShot(0, self.stack, self.stack.setFocus)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if not self._may_leave():
            event.ignore()
            return
        self.runner.finish()
        self.settings.setValue("geometry", self.saveGeometry())
        event.accept()
