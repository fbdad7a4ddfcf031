"""Building the stack in the real window: by drag and drop, and by the keyboard alone."""

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.engine.layers import registry as layers
from studio.project.edits import set_settings
from studio.project.values import Project
from studio.ui.stack_model import BLOCK, LAYER
from studio.ui.window import DATA

Key = Qt.Key
Modifier = Qt.KeyboardModifier


def names(window) -> list[str]:
    return [block.layer.class_name for block in window.document.project.blocks]


def drop(window, kind: str, text: str, point: QPoint) -> None:
    """What Qt does with a drag that ends at a point of the stack."""
    data = QMimeData()
    data.setData(kind, QByteArray(text.encode()))
    target = window.stack.viewport()
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Modifier.NoModifier
    QApplication.sendEvent(target, QDragEnterEvent(point, action, data, button, none))
    move = QDragMoveEvent(point, action, data, button, none)
    QApplication.sendEvent(target, move)
    assert move.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(point), action, data, button, none))


def top_of(window, position: int) -> QPoint:
    rect = window.stack.visualRect(window.stack.blocks.index(position))
    return QPoint(rect.center().x(), rect.top() + 2)


def test_window_opens_on_an_example_that_can_be_trained(window):
    assert names(window)[0] == "Conv2D"
    assert window.document.report.ok
    assert not window.document.modified


def test_drop_inserts_between_two_blocks(window):
    before = names(window)
    drop(window, LAYER, "Dropout", top_of(window, 2))
    assert names(window) == [*before[:2], "Dropout", *before[2:]]
    assert window.stack.chosen == window.document.project.blocks[2].id
    assert window.block_panel.title.text() == "Dropout"


def test_drop_below_the_last_block_appends(window):
    rect = window.stack.visualRect(window.stack.blocks.index(len(names(window)) - 1))
    drop(window, LAYER, "Dense", QPoint(rect.center().x(), rect.bottom() + 30))
    assert names(window)[-1] == "Dense"


@pytest.mark.parametrize(("start", "target", "now"), [(0, 3, 2), (5, 1, 1), (2, 2, 2), (2, 3, 2)])
def test_drag_reorders(window, start, target, now):
    block = window.document.project.blocks[start]
    drop(window, BLOCK, str(block.id), top_of(window, target))
    assert window.document.project.position(block.id) == now
    assert len(names(window)) == 7


def test_palette_hands_out_what_the_stack_takes(window):
    model = window.palette_view.entries
    window.palette_view.search.setText("flatten")
    rows = [row for row, entry in enumerate(model.entries) if entry == ("Flatten", True)]
    data = model.mimeData([model.index(rows[0])])
    assert bytes(data.data(LAYER).data()) == b"Flatten"


def test_every_layer_with_a_category_is_in_the_palette(window):
    palette = window.palette_view
    for category in {cls.category for cls in layers} - palette.entries.unfolded - {""}:
        heading = palette.entries.entries.index((category, False))
        palette.list.setCurrentIndex(palette.entries.index(heading))
        QTest.keyClick(palette.list, Key.Key_Return)
    shown = {name for name, is_layer in palette.entries.entries if is_layer}
    assert shown == {cls.__name__ for cls in layers if cls.category}


def test_a_stack_is_built_by_keyboard_alone(make_window):
    window = make_window(Project())
    window.activateWindow()
    for name in ("Flatten", "Dense"):
        window.find_block()
        QTest.keyClicks(window.palette_view.search, name)
        QTest.keyClick(window.palette_view.search, Key.Key_Return)
    assert names(window) == ["Flatten", "Dense"]
    QTest.keyClick(window.stack, Key.Key_Up, Modifier.AltModifier)
    assert names(window) == ["Dense", "Flatten"]
    QTest.keyClick(window.stack, Key.Key_Down, Modifier.AltModifier)
    assert names(window) == ["Flatten", "Dense"]
    QTest.keyClick(window.stack, Key.Key_Delete)
    assert names(window) == ["Flatten"]


def test_undo_and_redo_everything(window):
    start = window.document.project
    drop(window, LAYER, "Dropout", top_of(window, 1))
    window.stack.remove()
    window.stack.choose(start.blocks[0].id)
    window.block_panel.form.editors["filters"].edited.emit(24)
    window.block_panel.form.editors["filters"].edited.emit(25)
    window.stack.move_down()
    end = window.document.project
    steps = 0
    while window.document.history.can_undo:
        window.document.undo()
        steps += 1
    assert window.document.project is start
    assert steps == 4
    assert not window.isWindowModified()
    while window.document.history.can_redo:
        window.document.redo()
    assert window.document.project == end
    assert window.actions_by_name["undo"].isEnabled()
    assert not window.actions_by_name["redo"].isEnabled()


def test_undo_and_redo_select_what_they_bring_back(window):
    document, stack = window.document, window.stack
    ids = [block.id for block in document.project.blocks]
    stack.choose(ids[2])
    stack.remove()
    document.undo()
    assert stack.chosen == ids[2]
    assert stack.currentIndex().row() == 2
    document.redo()
    assert stack.chosen == ids[3]
    document.undo()
    stack.insert("Dropout")
    document.undo()
    assert stack.chosen == ids[3]
    stack.insert("Dropout")
    assert names(window)[4] == "Dropout"
    stack.choose(ids[0])
    window.block_panel.form.editors["filters"].edited.emit(24)
    stack.choose(ids[5])
    document.undo()
    assert stack.chosen == window.block_panel.block_id == ids[0]
    window.show_data()
    window.document.edit("Set epochs", lambda project: set_settings(project, epochs=3))
    window.document.undo()
    assert stack.chosen == ids[0]
    assert window.tabs.currentIndex() == DATA


def test_screen_readers_hear_a_block(window):
    interface = QAccessible.queryAccessibleInterface(window.stack)
    assert interface.text(QAccessible.Text.Name) == "Stack of blocks"
    spoken = window.stack.blocks.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Conv2D" in spoken
    assert "160 params" in spoken


def test_dropped_nonsense_changes_nothing(window):
    before = window.document.project
    drop(window, LAYER, "os.system", top_of(window, 1))
    drop(window, BLOCK, "999", top_of(window, 1))
    drop(window, BLOCK, "x", top_of(window, 1))
    assert window.document.project is before


def test_a_thousand_blocks_are_shown(make_window):
    from studio.project.edits import insert_block

    project = Project()
    for _ in range(1000):
        project = insert_block(project, 0, "Dropout")
    window = make_window(project)
    window.stack.choose(project.blocks[-1].id)
    assert window.stack.visualRect(window.stack.currentIndex()).intersects(
        window.stack.viewport().rect()
    )
