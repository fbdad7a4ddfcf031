"""Starts the application."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, QStandardPaths, QTimer
from PySide6.QtWidgets import QApplication

from studio.ui import theme
from studio.ui.icons import icon
from studio.ui.window import MainWindow

log = logging.getLogger("studio")


def run(path: Path | None = None) -> int:
    """Open the window, with a project if one is named, and return the exit code when it closes."""
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Sequential Studio")
    application.setOrganizationName("Sequential Studio")
    application.setDesktopFileName("sequential-studio")
    application.setStyle("Fusion")
    application.setWindowIcon(icon("app", theme.LIGHT.accent))
    window = MainWindow(QSettings())
    watch_errors(window)
    window.show()
    if path is not None:
        # After the window is there, so that an unreadable file is told in it.
        QTimer.singleShot(0, window, lambda: window.files.open(path))
    return application.exec()


def log_file() -> Path:
    """Where unexpected errors are written down."""
    place = QStandardPaths.StandardLocation.AppDataLocation
    return Path(QStandardPaths.writableLocation(place)) / "studio.log"


def watch_errors(window: MainWindow) -> None:
    """Write unexpected exceptions to the log file and tell of them; the window lives on."""
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log.addHandler(RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, delay=True))
    except OSError:
        log.addHandler(logging.StreamHandler())

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        log.error("Unexpected error", exc_info=(kind, error, trace))
        window.notice.show_message(
            f"Something went wrong that should not have: {kind.__name__}: {error}. "
            f"Your work is still here. Details are in {path}."
        )

    sys.excepthook = report
