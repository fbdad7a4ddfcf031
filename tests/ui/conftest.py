"""A real window with settings of its own, and a watch over what outlives it."""

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from PySide6.QtCore import QEvent, QObject, QSettings, QThread, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from shiboken6 import isValid

from studio.project.examples import EXAMPLES
from studio.project.values import Project
from studio.ui.window import MainWindow

Q = TypeVar("Q", bound=QObject)


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
        window.showNormal()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()
    assert active(QTimer, QTimer.isActive) == [], "timers outlive the window"
    assert active(QThread, QThread.isRunning) == [], "threads outlive the window"
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads outlive the window: {left}"


def active(kind: type[Q], is_active: Callable[[Q], bool]) -> list[Q]:
    """The timers or threads, whoever made them, that are still at work."""
    found = [one for one in gc.get_objects() if issubclass(type(one), kind) and isValid(one)]
    return [one for one in found if is_active(one)]


@pytest.fixture
def window(make_window) -> MainWindow:
    return make_window()


@pytest.fixture
def iris() -> Project:
    project = next(example.project for example in EXAMPLES if example.name == "iris_mlp")
    return replace(project, settings=replace(project.settings, epochs=20))
