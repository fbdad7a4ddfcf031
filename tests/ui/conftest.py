"""A real window with settings of its own, and a watch over what outlives it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.project.examples import EXAMPLES
from studio.project.values import Project
from studio.ui.window import MainWindow


@pytest.fixture
def settings(tmp_path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def no_questions(monkeypatch):
    """Unsaved changes are thrown away without a dialog."""
    answer = QMessageBox.StandardButton.Discard
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: answer)


@pytest.fixture
def make_window(qtbot, settings, no_questions) -> Iterator[Callable[..., MainWindow]]:
    windows: list[MainWindow] = []
    before = set(threading.enumerate())

    def make(project: Project | None = None) -> MainWindow:
        QApplication.setStyle("Fusion")
        window = MainWindow(settings, project)
        windows.append(window)
        window.resize(1366, 768)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()
    timers = [timer for window in windows for timer in window.findChildren(QTimer)]
    assert not [timer for timer in timers if timer.isActive()], "timers outlive the window"
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads outlive the window: {left}"


@pytest.fixture
def window(make_window) -> MainWindow:
    return make_window()


@pytest.fixture
def iris() -> Project:
    project = next(example.project for example in EXAMPLES if example.name == "iris_mlp")
    return replace(project, settings=replace(project.settings, epochs=20))
