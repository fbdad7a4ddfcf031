"""Saving, opening and exporting from the window."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QPushButton

from studio.engine.errors import StudioError
from studio.project.edits import set_settings
from studio.project.file import Saved
from studio.ui.code_dialog import CodeDialog


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """File dialogs that answer at once."""

    def answer(name: str) -> Path:
        path = tmp_path / name
        for method in ("getSaveFileName", "getOpenFileName"):
            monkeypatch.setattr(QFileDialog, method, lambda *_, **__: (str(path), ""))
        return path

    return answer


def test_save_and_open_with_weights(make_window, qtbot, iris, answers):
    window = make_window(iris)
    window.train()
    qtbot.waitUntil(lambda: not window.runner.running, timeout=30_000)
    path = answers("flowers")
    assert window.files.save()
    path = path.with_suffix(".studio")
    assert path.exists()
    assert not window.isWindowModified()
    assert "flowers" in window.windowTitle()
    trained = window.document.trained
    answers("flowers.studio")
    window.files.new()
    assert window.document.project.blocks == ()
    window.files.open()
    assert window.document.project == iris
    for name, value in trained.weights.items():
        np.testing.assert_array_equal(window.document.trained.weights[name], value)
    assert window.training_view.loss.series["training"].count == 20


def test_a_damaged_file_changes_nothing(window, tmp_path):
    path = tmp_path / "bad.studio"
    path.write_bytes(b"PK\x03\x04 this is no archive")
    before = window.document.project
    window.files.open(path)
    assert window.document.project is before
    assert window.notice.isVisible()
    assert "bad.studio" in window.notice.message.text()


def test_a_project_that_cannot_be_checked_changes_nothing(window, iris, monkeypatch):
    document = window.document
    before = {**vars(document)}

    def fail(*_: object) -> None:
        raise StudioError("a project", "none")

    monkeypatch.setattr("studio.ui.document.check", fail)
    with pytest.raises(StudioError):
        document.take(Saved(iris), Path("iris.studio"))
    assert vars(document) == before


def test_unsaved_changes_are_asked_about(make_window, iris, monkeypatch):
    window = make_window(iris)
    window.document.edit("edit", lambda project: set_settings(project, epochs=3))
    asked = []
    cancel = QMessageBox.StandardButton.Cancel
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **_: asked.append(a) or cancel)
    assert not window.close()
    assert asked
    assert window.isVisible()
    discard = QMessageBox.StandardButton.Discard
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: discard)
    assert window.close()


def test_export_shows_and_saves_code(make_window, iris, answers, monkeypatch):
    window = make_window(iris)
    path = answers("model.py")
    shown = []

    def accept(dialog: CodeDialog) -> int:
        shown.append(dialog.code.toPlainText())
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(CodeDialog, "exec", accept)
    window.files.export_keras()
    code = path.read_text(encoding="utf-8")
    assert "import keras" in shown[0]
    assert "layers.Dense(16" in code
    assert path.with_name("model_data.npz").exists()
    subprocess.run([sys.executable, "-m", "py_compile", str(path)], check=True)


def test_an_unexpected_error_is_logged_and_told(window, monkeypatch, tmp_path):
    import logging

    from studio.ui import app

    monkeypatch.setattr(app, "log_file", lambda: tmp_path / "logs" / "studio.log")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    app.watch_errors(window)
    try:
        error = ZeroDivisionError("a fault")
        sys.excepthook(ZeroDivisionError, error, None)
    finally:
        for handler in list(logging.getLogger("studio").handlers):
            handler.close()
            logging.getLogger("studio").removeHandler(handler)
    assert window.notice.isVisible()
    assert "a fault" in window.notice.message.text()
    assert "ZeroDivisionError" in (tmp_path / "logs" / "studio.log").read_text()


def test_schemes(window, settings):
    window.go_dark()
    assert settings.value("scheme") == "dark"
    dark = window.palette().window().color().lightness()
    window.go_light()
    assert window.palette().window().color().lightness() > dark


def test_nothing_is_collected_while_the_colours_change(window):
    """Qt goes through a list of all widgets: one that is deleted meanwhile ends the program."""
    collecting = []

    class Asked(QPushButton):
        def changeEvent(self, event):  # noqa: N802
            collecting.append(gc.isenabled())
            super().changeEvent(event)

    window.centralWidget().layout().addWidget(Asked())
    collecting.clear()
    window.go_dark()
    assert collecting and not any(collecting)
    assert gc.isenabled()


@pytest.mark.parametrize("replaced", [True, False])
def test_a_name_without_its_ending_replaces_nothing_unasked(
    make_window, iris, answers, monkeypatch, replaced
):
    window = make_window(iris)
    asked = []
    buttons = QMessageBox.StandardButton
    answer = buttons.Yes if replaced else buttons.No
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **_: asked.append(a[2]) or answer)
    path = answers("flowers").with_suffix(".studio")
    path.write_bytes(b"other")
    assert window.files.save_as() == replaced
    assert (path.read_bytes() != b"other") == replaced
    monkeypatch.setattr(CodeDialog, "exec", lambda _: QDialog.DialogCode.Accepted)
    data = answers("model.py").with_name("model_data.npz")
    data.write_bytes(b"other")
    window.files.export_keras()
    assert (data.read_bytes() != b"other") == replaced
    assert [text.split()[0] for text in asked] == ["flowers.studio", "model_data.npz"]
    window.files.export_keras()
    assert len(asked) == (2 if replaced else 3)
    monkeypatch.setattr(QMessageBox, "question", lambda *_, **__: buttons.Discard)
