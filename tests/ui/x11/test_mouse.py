"""A real mouse and a real keyboard on a real X server."""

import shutil
import subprocess

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QAbstractItemView

from studio.project.values import Project

pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool"),
]


@pytest.fixture
def act(qtbot):
    """Runs xdotool while the window lives on."""

    def run(*words: object) -> None:
        process = subprocess.Popen(["xdotool", *map(str, words)])
        qtbot.waitUntil(lambda: process.poll() is not None, timeout=20_000)
        assert process.returncode == 0
        qtbot.wait(100)

    return run


@pytest.fixture
def desk(make_window, iris: Project, qtbot, act):
    window = make_window(iris)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    # The window manager may still move it.
    qtbot.wait(500)
    return window


def place(view: QAbstractItemView, row: int, share: float = 0.5) -> QPoint:
    """A point of a row on the screen, at that share of its height; the row is scrolled to."""
    index = view.model().index(row, 0)
    view.scrollTo(index)
    rect = view.visualRect(index)
    point = QPoint(rect.center().x(), rect.top() + round(share * rect.height()))
    return view.viewport().mapToGlobal(point)


def drag(act, start: QPoint, end: QPoint) -> None:
    """Press, move in several steps as a hand does, let go."""
    steps = [start + (end - start) * share for share in (0.05, 0.3, 0.7, 0.95, 1)]
    moves = [word for step in steps for word in ("mousemove", step.x(), step.y(), "sleep", 0.08)]
    act("mousemove", start.x(), start.y(), "sleep", 0.1, "mousedown", 1, "sleep", 0.1,
        *moves, "sleep", 0.1, "mouseup", 1)  # fmt: skip


def names(window) -> list[str]:
    return [block.layer.class_name for block in window.document.project.blocks]


def test_drag_from_the_palette_between_two_blocks(desk, act, qtbot):
    palette = desk.palette_view
    palette.search.setText("dropout")
    row = palette.entries.entries.index(("Dropout", True))
    drag(act, place(palette.list, row), place(desk.stack, 1, 0.1))
    qtbot.waitUntil(lambda: names(desk) == ["Dense", "Dropout", "Dense"])
    assert desk.stack.chosen == desk.document.project.blocks[1].id
    assert desk.block_panel.title.text() == "Dropout"


def test_drag_reorders_and_keys_undo(desk, act, qtbot, iris):
    first, second = iris.blocks
    drag(act, place(desk.stack, 0), place(desk.stack, 1, 0.9))
    qtbot.waitUntil(lambda: desk.document.project.blocks == (second, first))
    act("key", "ctrl+z")
    assert desk.document.project is iris
    act("key", "ctrl+y")
    assert desk.document.project.blocks == (second, first)


def test_the_keyboard_deletes_and_trains(desk, act, qtbot, iris):
    point = place(desk.stack, 0)
    act("mousemove", point.x(), point.y(), "click", 1)
    assert QCursor.pos() == point
    act("key", "Delete")
    assert names(desk) == ["Dense"]
    act("key", "ctrl+Return")
    qtbot.waitUntil(lambda: desk.document.trained is not None, timeout=30_000)
    assert desk.training_view.loss.series["training"].count == iris.settings.epochs


def test_a_drop_outside_the_stack_does_nothing(desk, act, iris):
    palette = desk.palette_view
    row = palette.entries.entries.index(("Flatten", True))
    plot = desk.training_view.loss
    drag(act, place(palette.list, row), plot.mapToGlobal(plot.rect().center()))
    assert desk.document.project is iris
