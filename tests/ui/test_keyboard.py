"""The keyboard alone: focus, shortcuts, and fields that leave the history to the project."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QFont, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QPushButton,
    QToolBar,
    QToolButton,
    QWidget,
)

from studio.project.edits import set_data
from studio.project.values import DataChoice, Project
from studio.ui import document, fields
from studio.ui.actions import TABLE

Key = Qt.Key
Modifier = Qt.KeyboardModifier


@pytest.fixture
def active(make_window, iris: Project, qtbot):
    window = make_window(iris)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.fixture
def units(active, qtbot) -> QWidget:
    """The field of the first block's units, with the cursor in it."""
    active.stack.choose(active.document.project.blocks[0].id)
    field = active.block_panel.form.editors["units"].field
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    return field


def first_units(window) -> int:
    return window.document.project.blocks[0].layer.config["units"]


def test_typing_is_one_step_and_undo_in_a_field_is_the_projects(active, units):
    QTest.keyClicks(units, "128")
    assert first_units(active) == 128
    assert len(active.document.history.past) == 1
    QTest.keyClick(units, Key.Key_Z, Modifier.ControlModifier)
    assert first_units(active) == 16
    assert units.value() == 16
    QTest.keyClick(units, Key.Key_Z, Modifier.ControlModifier | Modifier.ShiftModifier)
    assert first_units(active) == 128


def test_keys_of_actions_win_over_those_of_fields(active, units, monkeypatch):
    def taken(field: QWidget, keys: str) -> bool:
        key = QKeySequence(keys)[0]  # pyright: ignore[reportIndexIssue]
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key.key(), key.keyboardModifiers())
        event.ignore()
        QApplication.sendEvent(field, event)
        return event.isAccepted()

    # As "end of line", Ctrl+E is a field's under X11 only; Ctrl+A is one's everywhere.
    assert QKeySequence("Ctrl+E") in fields.SHORTCUTS
    monkeypatch.setattr(fields, "SHORTCUTS", {*fields.SHORTCUTS, QKeySequence("Ctrl+A")})
    name = active.block_panel.form.editors["name"].field
    for field in (units, name, active.palette_view.search):
        keys = [keys for entry in TABLE for keys in entry.keys]
        assert not any(taken(field, key) for key in (*keys, "Ctrl+A"))
        assert taken(field, "Ctrl+C")


def test_undo_in_the_search_is_the_projects(active):
    before = active.document.project
    QTest.keyClicks(active.palette_view.search, "dropout")
    QTest.keyClick(active.palette_view.search, Key.Key_Return)
    assert len(active.document.project.blocks) == len(before.blocks) + 1
    QTest.keyClick(active.palette_view.search, Key.Key_Z, Modifier.ControlModifier)
    assert active.document.project == before


def test_after_a_rest_the_same_field_makes_another_step(active, units, monkeypatch):
    units.setValue(20)
    units.setValue(21)
    assert len(active.document.history.past) == 1
    monkeypatch.setattr(document, "BURST_SECONDS", -1.0)
    units.setValue(22)
    assert len(active.document.history.past) == 2
    active.document.undo()
    assert first_units(active) == 21


def test_tab_leads_through_the_whole_window(active, qtbot):
    active.find_block()
    qtbot.waitUntil(active.palette_view.search.hasFocus)
    seen = []
    for _ in range(60):
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Key.Key_Tab)
        seen.append(QApplication.focusWidget())
    wanted = {
        "palette": active.palette_view.list,
        "data": active.stack_panel.data_card,
        "stack": active.stack,
        "tabs": active.tabs.tabBar(),
    }
    assert {name for name, widget in wanted.items() if widget in seen} == set(wanted)
    assert any(
        isinstance(widget, QToolButton) and widget.objectName() == "train" for widget in seen
    )
    panel = active.block_panel
    assert any(widget is not None and panel.isAncestorOf(widget) for widget in seen)


def focused(window) -> str:
    widget = window.focusWidget()
    return widget.accessibleName() or widget.text()


def test_shortcuts_lead_to_the_first_field_of_each_tab(active, qtbot):
    active.stack.insert("LSTM")
    active.stack.choose(active.document.project.blocks[0].id)
    active.document.edit("", lambda project: set_data(project, DataChoice("moons")))
    qtbot.waitUntil(active.block_panel.form.isVisible)
    for key, first in ((Key.Key_2, "Units"), (Key.Key_3, "Data set"), (Key.Key_4, "Optimizer")):
        active.stack.setFocus()
        QTest.keyClick(active, key, Modifier.ControlModifier)
        assert focused(active) == first
    active.stack.choose(None)
    QTest.keyClick(active, Key.Key_2, Modifier.ControlModifier)
    assert focused(active) == "Settings"


def test_tab_leads_through_a_panel_as_it_is_laid_out(active, qtbot):
    def passed(count: int) -> list[str]:
        seen = []
        for _ in range(count):
            QTest.keyClick(active.focusWidget(), Key.Key_Tab)
            seen.append(focused(active))
        return seen

    active.document.edit("", lambda project: set_data(project, DataChoice("moons")))
    active.show_data()
    qtbot.waitUntil(active.data_panel.form.isVisible)
    assert passed(3) == ["Samples", "Noise", "Seed"]
    active.training_panel.form.editors["optimizer"].edited.emit({"class_name": "SGD", "config": {}})
    active.show_training()
    qtbot.waitUntil(active.training_panel.form.editors["optimizer"].form.isVisible)
    assert passed(4)[:3] == ["Learning rate", "Learning rate", "Momentum"]
    active.training_panel.form.editors["seed"].field.setFocus()
    assert passed(1) == ["Open"]
    active.notice.show_message("Which?", [("One", print), ("Other", print)])
    active.notice.buttons[0].setFocus()
    assert passed(2) == ["Other", "Dismiss"]


def test_what_takes_the_focus_has_a_name(active):
    for index in range(active.tabs.count()):
        active.tabs.setCurrentIndex(index)
        for widget in active.findChildren(QWidget):
            if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                heard = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
                assert heard or widget.focusProxy(), f"{widget} says nothing to a screen reader"


def test_the_toolbar_stays_small_and_shortcuts_are_told_apart(active):
    bar = active.findChild(QToolBar)
    assert len([action for action in bar.actions() if not action.isSeparator()]) <= 8
    keys = [key for entry in TABLE for key in entry.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_the_toolbar_has_no_room_for_can_be_found(active, qtbot, scheme):
    active.show_scheme(scheme)
    active.resize(800, 600)
    bar = active.findChild(QToolBar)
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    qtbot.waitUntil(more.isVisible)
    assert more.width() > 1.5 * more.fontMetrics().height()
    assert bar.rect().contains(more.geometry())
    picture = more.grab().toImage()
    middle = picture.height() // 2
    seen = {picture.pixelColor(x, middle).lightness() for x in range(picture.width())}
    assert max(seen) - min(seen) > 80


def test_the_list_of_keys_fits_on_the_screen(active, monkeypatch):
    font = QApplication.font()
    seen = []

    def look(box: QDialog) -> int:
        box.show()
        (button,) = box.findChildren(QPushButton)
        assert box.rect().contains(button.mapTo(box, button.rect().bottomRight()))
        seen.append(box.size())
        return 0

    monkeypatch.setattr(QDialog, "exec", look)
    active.show_keys()
    large = QFont(font)
    large.setPointSizeF(3 * font.pointSizeF())
    QApplication.setFont(large)
    try:
        active.show_keys()
    finally:
        QApplication.setFont(font)
    room = active.screen().availableSize()
    assert all(size.boundedTo(room) == size for size in seen)
    assert len(seen) == 2


def test_the_palette_folds_and_searches_by_keyboard(active):
    palette = active.palette_view
    heading = palette.entries.entries.index(("Regularization", False))
    palette.list.setCurrentIndex(palette.entries.index(heading))
    QTest.keyClick(palette.list, Key.Key_Return)
    assert ("Dropout", True) in palette.entries.entries
    QTest.keyClick(palette.list, Key.Key_Return)
    assert ("Dropout", True) not in palette.entries.entries
    QTest.keyClicks(palette.search, "dense")
    assert palette.entries.name(palette.list.currentIndex()) == "Dense"
    QTest.keyClicks(palette.search, " no such layer")
    assert palette.entries.rowCount() == 0
    QTest.keyClick(palette.search, Key.Key_Return)
    assert len(active.document.project.blocks) == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Conv 2D", "Conv2D"), ("max pool", "MaxPooling1D"), ("batch norm", "BatchNormalization"),
        ("2d depthwise", "DepthwiseConv2D"), ("  dense ", "Dense"), ("lstm", "LSTM"),
    ],
)  # fmt: skip
def test_blocks_are_found_word_by_word(active, text, name):
    palette = active.palette_view
    QTest.keyClicks(palette.search, text)
    assert palette.entries.name(palette.list.currentIndex()) == name
    QTest.keyClick(palette.search, Key.Key_Return)
    assert name in [block.layer.class_name for block in active.document.project.blocks]


def test_escape_clears_the_search_and_down_leads_to_what_it_found(active):
    palette = active.palette_view
    active.find_block()
    QTest.keyClicks(palette.search, "gru")
    QTest.keyClick(palette.search, Key.Key_Down)
    assert palette.list.hasFocus()
    assert palette.entries.name(palette.list.currentIndex()) == "GRU"
    QTest.keyClick(palette.list, Key.Key_Escape)
    assert palette.search.text() == ""
    QTest.keyClicks(palette.search, "gru")
    QTest.keyClick(palette.search, Key.Key_Escape)
    assert palette.search.text() == ""


def test_data_and_problems_are_one_click_away(active):
    QTest.mouseClick(active.stack_panel.data_card, Qt.MouseButton.LeftButton)
    assert active.tabs.currentIndex() == 1
    assert not active.stack_panel.trouble.isVisible()
    active.stack.choose(active.document.project.blocks[1].id)
    active.stack.remove()
    active.stack.choose(None)
    assert active.stack_panel.trouble.text() == "1 problem"
    QTest.mouseClick(active.stack_panel.trouble, Qt.MouseButton.LeftButton)
    assert active.stack.chosen == active.document.project.blocks[0].id
    assert active.notice.isVisible()
