"""The stack as a Qt list model, with drag and drop by MIME type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, Qt

from studio.engine.layers import registry as layers
from studio.project.checks import Row
from studio.project.edits import insert_block, move_block
from studio.ui.document import Document

LAYER = "application/x-studio-layer"
BLOCK = "application/x-studio-block"
ROW = Qt.ItemDataRole.UserRole
Index = QModelIndex


class StackModel(QAbstractListModel):
    """One row per block. Dropping a layer inserts it, dropping a block moves it."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.document = document
        self._rows: tuple[Row, ...] = document.report.rows
        document.changed.connect(self._follow)

    def row(self, position: int) -> Row:
        """What is shown of the block at that position."""
        return self._rows[position]

    def position(self, block_id: int) -> int:
        """Where that block is, or -1."""
        ids = [row.block.id for row in self._rows]
        return ids.index(block_id) if block_id in ids else -1

    def _follow(self) -> None:
        rows = self.document.report.rows
        if [row.block.id for row in rows] != [row.block.id for row in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        old, self._rows = self._rows, rows
        for position, (before, now) in enumerate(zip(old, rows, strict=True)):
            if before != now:
                index = self.index(position)
                self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = Index()) -> int:  # noqa: B008, N802
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.block.layer.class_name
        if role == ROW:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.problem.message if row.problem else help_of(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )

    def supportedDropActions(self) -> Qt.DropAction:  # noqa: N802
        return Qt.DropAction.CopyAction | Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:  # noqa: N802
        return [LAYER, BLOCK]

    def mimeData(self, indexes: Sequence[Index]) -> QMimeData:  # noqa: N802
        data = QMimeData()
        if indexes:
            block = self._rows[indexes[0].row()].block
            data.setData(BLOCK, QByteArray(str(block.id).encode()))
        return data

    def canDropMimeData(  # noqa: N802
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        return data.hasFormat(LAYER) or data.hasFormat(BLOCK)

    def dropMimeData(  # noqa: N802
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        position = len(self._rows) if row < 0 else row
        if data.hasFormat(LAYER):
            name = bytes(data.data(LAYER).data()).decode(errors="replace")
            if name in layers:
                self.insert(name, position)
                return True
        elif data.hasFormat(BLOCK):
            text = bytes(data.data(BLOCK).data()).decode(errors="replace")
            block_id = int(text) if text.isdecimal() else -1
            now = self.position(block_id)
            if now >= 0:
                self.move(block_id, position - (position > now))
                return True
        return False

    def insert(self, class_name: str, position: int) -> None:
        """Put a new block there."""
        self.document.edit(
            f"Insert {class_name}", lambda project: insert_block(project, position, class_name)
        )

    def move(self, block_id: int, position: int) -> None:
        """Put a block at that position of the stack as it is without it."""
        name = self._rows[self.position(block_id)].block.layer.class_name
        self.document.edit(f"Move {name}", lambda project: move_block(project, block_id, position))


def help_of(row: Row) -> str:
    """One sentence about the layer of a row."""
    name = row.block.layer.class_name
    return layers.find(name).help if name in layers else ""


def params_text(row: Row) -> str:
    """The parameter count as people read it."""
    if row.params is None:
        return ""
    return f"{row.params:,} params" if row.params else "no params"


def spoken(row: Row) -> str:
    """A row in words, for screen readers."""
    parts = [row.block.layer.class_name, row.settings]
    if row.output_shape is not None:
        parts += [f"output {row.shape_text}", params_text(row)]
    if row.problem:
        parts.append(f"Problem: {row.problem.message}")
    return ", ".join(part for part in parts if part)
