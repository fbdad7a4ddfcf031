"""The main window: it puts the parts together and follows the document."""

from __future__ import annotations

from PySide6.QtCore import QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QMainWindow, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from studio.project.examples import START
from studio.project.problems import Problem
from studio.project.values import Project
from studio.training.events import Event, Failed, Finished, Stopped
from studio.ui import style
from studio.ui.about import show_about, show_keys
from studio.ui.actions import colour_actions, make_actions, make_toolbar
from studio.ui.block_panel import BlockPanel
from studio.ui.data_panel import DataPanel
from studio.ui.document import Document
from studio.ui.fields import first_field, tab_through
from studio.ui.files import Files
from studio.ui.layer_palette import LayerPalette
from studio.ui.notice import NoticeBar
from studio.ui.panels import Panels
from studio.ui.runner import Runner
from studio.ui.stack_panel import StackPanel
from studio.ui.thread_choice import ThreadChoice
from studio.ui.training_panel import TrainingPanel
from studio.ui.training_view import TrainingView

BLOCK, DATA, TRAINING = range(3)
"""The tabs of the settings."""


class MainWindow(QMainWindow):
    """Palette, stack, live plots and settings side by side."""

    def __init__(self, settings: QSettings, project: Project | None = None) -> None:
        super().__init__()
        self.settings = settings
        if project is None:
            self.document = Document(START.project, START.title, self)
        else:
            self.document = Document(project, parent=self)
        self.runner = Runner(self)
        self.threads = ThreadChoice(settings)
        self.notice = NoticeBar()
        self.files = Files(self, self.document, self.runner, self.notice, settings)
        self.palette_view = LayerPalette()
        self.stack_panel = StackPanel(self.document)
        self.stack = self.stack_panel.stack
        self.training_view = TrainingView()
        self.block_panel = BlockPanel(self.document)
        self.data_panel = DataPanel(self.document)
        self.training_panel = TrainingPanel(self.document)
        self._failure: tuple[str, Project] | None = None
        self.settings_panels = (self.block_panel, self.data_panel, self.training_panel)
        self.tabs = QTabWidget()
        self.panels = Panels(
            (self.palette_view, self.stack_panel, self.training_view, self.tabs),
            usual=(15, 24, 27, 23), least=(8, 15, 15, 17), growing=2,
        )  # fmt: skip
        self._assemble()
        self.actions_by_name = make_actions(self)
        make_toolbar(self, self.actions_by_name)
        self._connect()
        self._restore()
        self._follow()

    # Building

    def _assemble(self) -> None:
        for panel, name in zip(self.settings_panels, ("Block", "Data", "Training"), strict=True):
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            area.setWidget(panel)
            self.tabs.addTab(area, name)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Settings")
        self.tabs.tabBar().setAccessibleName("Settings")
        self.tabs.tabBar().setDrawBase(False)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.panels, 1)
        self.setCentralWidget(middle)

    def _connect(self) -> None:
        self.palette_view.chosen.connect(self.stack.insert)
        self.stack.selected.connect(self.block_panel.show_block)
        self.stack.selected.connect(self._show_block_tab)
        self.stack_panel.data_wanted.connect(self.show_data)
        self.stack_panel.problem_wanted.connect(self.show_problem)
        self.files.problem_found.connect(self.show_problem)
        self.document.changed.connect(self._follow)
        self.document.opened.connect(self._opened)
        self.runner.happened.connect(self._take)
        self.runner.changed.connect(self._follow)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def sizeHint(self) -> QSize:  # noqa: N802
        line = self.fontMetrics().height()
        return QSize(96 * line, 54 * line)

    # Following the document

    def _follow(self) -> None:
        document, actions, running = self.document, self.actions_by_name, self.runner.running
        self.setWindowTitle(f"{document.title}[*] — Sequential Studio")
        self.setWindowModified(document.modified)
        told = self.notice.problem
        if told is not None and not any(told.is_as(error) for error in document.errors):
            self.notice.hide()
        self._forget_failure()
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
        word = "Resume" if self.runner.paused else "Pause"
        actions["pause"].setText(f"&{word}")
        actions["pause"].setIconText(word)
        if not running and document.trained is None:
            self.training_view.show_plan(document.project, document.info)
        self.training_view.compare(document.project)

    def _forget_failure(self) -> None:
        """A run that failed says nothing of what has been edited since."""
        if self._failure is None:
            return
        text, project = self._failure
        if self.document.project is not project:
            self._failure = None
            if self.notice.message.text() == text:
                self.notice.hide()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802
        # Fields come and go, and Qt puts those made last at the end.
        tab_through(self.notice.close_button, self.notice)
        before: QWidget = self.tabs.tabBar()
        for panel in self.settings_panels:
            before = tab_through(before, panel)
        return super().focusNextPrevChild(next)

    def _opened(self) -> None:
        self.notice.hide()
        self.stack.forget()
        self.stack.choose(None)
        self.training_view.show_trained(self.document.trained)

    def _show_block_tab(self, block_id: int | None) -> None:
        if block_id is not None:
            self.tabs.setCurrentIndex(BLOCK)

    # Training

    def train(self) -> None:
        """Train the project as it stands, unless a problem forbids it."""
        if self.document.errors:
            self.show_problem(self.document.errors[0])
        elif not self.runner.running:
            self.notice.hide()
            self.runner.start(self.document.project, self.threads.count)

    def show_problem(self, problem: Problem) -> None:
        """Lead to what is wrong, with its fixes at hand."""
        if isinstance(problem.where, int):
            self.stack.choose(problem.where)
            self.tabs.setCurrentIndex(BLOCK)
        else:
            self.tabs.setCurrentIndex(
                {"data": DATA, "settings": TRAINING}.get(problem.where, BLOCK)
            )
        fixes = [(fix.label, lambda fix=fix: self.document.apply(fix)) for fix in problem.fixes]
        self.notice.show_problem(problem, fixes)

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

    def _take(self, events: list[Event]) -> None:
        self.training_view.take(events)
        last = events[-1] if events else None
        if isinstance(last, Failed):
            self.notice.show_message(str(last.error))
            self._failure = self.notice.message.text(), self.document.project
        elif isinstance(last, Finished | Stopped) and last.trained is not None:
            self.document.keep(last.trained)

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
        self._show_tab(BLOCK)

    def show_data(self) -> None:
        """Show the data."""
        self._show_tab(DATA)

    def show_training(self) -> None:
        """Show the settings of training."""
        self._show_tab(TRAINING)

    def _show_tab(self, index: int) -> None:
        self.tabs.setCurrentIndex(index)
        panel = self.settings_panels[index]
        found = first_field(panel) or self.tabs.tabBar()
        # As if by Tab: a number is selected, so that typing replaces it.
        found.setFocus(Qt.FocusReason.TabFocusReason)
        area = self.tabs.currentWidget()
        if isinstance(area, QScrollArea):
            area.ensureWidgetVisible(found)

    def go_system(self) -> None:
        """Take the colours of the desktop, now and when they change."""
        self.show_scheme("system")

    def go_light(self) -> None:
        """Take light colours."""
        self.show_scheme("light")

    def go_dark(self) -> None:
        """Take dark colours."""
        self.show_scheme("dark")

    @property
    def scheme(self) -> style.Scheme:
        """The colours that were chosen."""
        return style.scheme(self.settings.value("scheme"))

    def show_scheme(self, scheme: style.Scheme) -> None:
        """Take the colours of a scheme, and remember it."""
        self.settings.setValue("scheme", scheme)
        style.apply(scheme)
        for of in style.SCHEMES:
            self.actions_by_name[f"go_{of}"].setChecked(of == scheme)
        colour_actions(self.actions_by_name)
        self.training_view.recolour()
        self.palette_view.recolour()
        self.stack_panel.follow()

    def _follow_system(self) -> None:
        if self.scheme == "system":
            self.show_scheme("system")

    def show_keys(self) -> None:
        """Say what the keyboard can do."""
        show_keys(self)

    def about(self) -> None:
        """Say what this is."""
        show_about(self)

    # Opening and closing

    def _restore(self) -> None:
        geometry, widths = self.settings.value("geometry"), self.settings.value("widths")
        if geometry is None or not self.restoreGeometry(geometry):
            room = self.screen().availableSize() * 0.92
            wanted = self.sizeHint()
            self.resize(wanted.boundedTo(room))
            if wanted.width() > room.width() or wanted.height() > room.height():
                self.setWindowState(Qt.WindowState.WindowMaximized)
        if isinstance(widths, list) and len(widths) == self.panels.count():
            self.panels.choose_widths([float(width) for width in widths])
        self.show_scheme(self.scheme)
        QTimer.singleShot(0, self.stack, self.stack.setFocus)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if not self.files.may_leave():
            event.ignore()
            return
        self.runner.finish()
        self.settings.setValue("geometry", self.saveGeometry())
        self.settings.setValue("widths", self.panels.chosen_widths())
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self._follow_system)
        event.accept()
