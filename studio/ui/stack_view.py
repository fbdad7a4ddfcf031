"""The stack on screen: select, drag, move by keyboard, delete."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QDropEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from studio.project.edits import duplicate_block, remove_blocks
from studio.project.history import subject
from studio.project.values import Project
from studio.ui import theme
from studio.ui.block_delegate import BlockDelegate
from studio.ui.document import Document
from studio.ui.drag import start_drag
from studio.ui.stack_model import ROW, StackModel

Key = Qt.Key
Modifier = Qt.KeyboardModifier


class StackView(QListView):
    """A list of blocks. The selection belongs to blocks, not to places, and survives edits."""

    selected = Signal(object)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.blocks = StackModel(document)
        self._chosen: int | None = None
        self._marker: int | None = None
        self._known = {row.block.id for row in document.report.rows}
        self.setObjectName("stack")
        self.setAccessibleName("Stack of blocks")
        self.setAccessibleDescription("Delete removes a block, Alt+Up and Alt+Down move it.")
        self.setModel(self.blocks)
        self.setItemDelegate(BlockDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.selectionModel().currentChanged.connect(self._choose)
        self.blocks.modelReset.connect(self._restore)
        document.stepped.connect(self._follow_step)
        self.blocks.dataChanged.connect(lambda *_: self.scheduleDelayedItemsLayout())

    @property
    def chosen(self) -> int | None:
        """The id of the selected block."""
        return self._chosen

    def choose(self, block_id: int | None) -> None:
        """Select a block and bring it into sight; nothing with None."""
        position = -1 if block_id is None else self.blocks.position(block_id)
        index = self.blocks.index(position) if position >= 0 else QModelIndex()
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)

    def insert(self, class_name: str) -> None:
        """Put a new block after the selected one, or on top, and select it."""
        position = -1 if self._chosen is None else self.blocks.position(self._chosen)
        self.blocks.insert(class_name, self.blocks.rowCount() if position < 0 else position + 1)

    def remove(self) -> None:
        """Remove the selected block; its neighbour is selected."""
        if self._chosen is None or (position := self.blocks.position(self._chosen)) < 0:
            return
        gone = self._chosen
        name = self.blocks.row(position).block.layer.class_name
        others = [row.block.id for row in self.document.report.rows if row.block.id != gone]
        self._chosen = others[min(position, len(others) - 1)] if others else None
        self.document.edit(f"Remove {name}", lambda project: remove_blocks(project, [gone]))

    def duplicate(self) -> None:
        """Put a copy of the selected block after it."""
        if (chosen := self._chosen) is not None:
            self.document.edit("Duplicate block", lambda project: duplicate_block(project, chosen))

    def move_up(self) -> None:
        """Move the selected block one place up."""
        self._shift(-1)

    def move_down(self) -> None:
        """Move the selected block one place down."""
        self._shift(1)

    def _shift(self, by: int) -> None:
        if self._chosen is None or (position := self.blocks.position(self._chosen)) < 0:
            return
        if 0 <= position + by < self.blocks.rowCount():
            self.blocks.move(self._chosen, position + by)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        alt = bool(event.modifiers() & (Modifier.AltModifier | Modifier.ControlModifier))
        if event.key() in (Key.Key_Delete, Key.Key_Backspace):
            self.remove()
        elif alt and event.key() == Key.Key_Up:
            self.move_up()
        elif alt and event.key() == Key.Key_Down:
            self.move_down()
        else:
            super().keyPressEvent(event)

    # Selection

    def _choose(self, index: QModelIndex) -> None:
        # Taking the focus makes the first block current, but does not select it.
        self.selectionModel().select(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        row = index.data(ROW)
        self._chosen = row.block.id if row else None
        self.selected.emit(self._chosen)

    def _restore(self) -> None:
        """After the blocks have changed places: select the same one, or the newest."""
        known = {row.block.id for row in self.document.report.rows}
        newest = max(known, default=None)
        wanted = self._chosen if self._chosen in known else None
        if newest is not None and newest not in self._known:
            wanted = newest
        self._known = known
        with QSignalBlocker(self.selectionModel()):
            self.choose(wanted)
        self._chosen = wanted
        self.selected.emit(wanted)

    def _follow_step(self, before: Project) -> None:
        """After undo and redo: select the block that they were about."""
        self.choose(subject(before, self.document.project, self._chosen))

    def forget(self) -> None:
        """Take the blocks that are there now as known: none of them is new."""
        self._known = {row.block.id for row in self.document.report.rows}
        self._chosen = None

    # Drags and drops

    def startDrag(self, actions: Qt.DropAction) -> None:  # noqa: N802
        index = self.currentIndex()
        if index.isValid():
            start_drag(self, self.blocks.mimeData([index]), str(index.data()))

    def _place(self, point: QPoint) -> int:
        """Before which block a drop at that point goes."""
        for position in range(self.blocks.rowCount()):
            if point.y() < self.visualRect(self.blocks.index(position)).center().y():
                return position
        return self.blocks.rowCount()

    def dragEnterEvent(self, event: QDropEvent) -> None:  # noqa: N802
        if any(event.mimeData().hasFormat(kind) for kind in self.blocks.mimeTypes()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDropEvent) -> None:  # noqa: N802
        super().dragMoveEvent(event)  # pyright: ignore[reportArgumentType]
        if any(event.mimeData().hasFormat(kind) for kind in self.blocks.mimeTypes()):
            self._mark(self._place(event.position().toPoint()))
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self._mark(None)
        super().dragLeaveEvent(event)  # pyright: ignore[reportArgumentType]

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        place = self._place(event.position().toPoint())
        self._mark(None)
        # A block dropped here was moved by the model: the view has nothing to take away.
        if self.blocks.dropMimeData(
            event.mimeData(), Qt.DropAction.CopyAction, place, 0, QModelIndex()
        ):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        self.stopAutoScroll()
        self.setState(QAbstractItemView.State.NoState)
        self.setFocus()

    def _mark(self, place: int | None) -> None:
        if place != self._marker:
            self._marker = place
            self.viewport().update()

    # Painting

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        colours = theme.current()
        count = self.blocks.rowCount()
        if self._marker is not None:
            line = self.fontMetrics().height()
            bottom = self.visualRect(self.blocks.index(count - 1)).bottom() if count else line // 2
            at = (
                self.visualRect(self.blocks.index(self._marker)).top()
                if self._marker < count
                else bottom
            )
            painter.setPen(QPen(QColor(colours.accent), max(3, line // 5)))
            painter.drawLine(line // 2, at + 1, self.viewport().width() - line // 2, at + 1)
        elif not count:
            painter.setPen(QColor(colours.muted))
            area: QRect = self.viewport().rect().adjusted(20, 20, -20, -20)
            painter.drawText(
                area,
                Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                "Drag a block here from the left,\nor select one there and press Enter.",
            )
        painter.end()
