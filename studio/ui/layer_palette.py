"""All layers by category, to drag into the stack or to insert by Enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QListView, QVBoxLayout, QWidget

from studio.engine.layers import registry as layers
from studio.ui import theme
from studio.ui.block_delegate import colour_of, icon_name
from studio.ui.drag import start_drag
from studio.ui.icons import icon
from studio.ui.stack_model import LAYER

CATEGORIES = (
    "Core", "Convolution", "Pooling", "Recurrent", "Regularization", "Normalization",
    "Activation", "Reshaping", "Preprocessing",
)  # fmt: skip
Index = QModelIndex


class PaletteModel(QAbstractListModel):
    """Headings and layers; the entries are (heading, "") or (class name, help)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[tuple[str, bool]] = []
        self.filter("")

    def filter(self, text: str) -> None:
        """Keep the layers whose name or help holds the text."""
        wanted = text.lower().strip()
        self.beginResetModel()
        self.entries = []
        for category in CATEGORIES:
            found = [
                cls.__name__
                for cls in layers
                if cls.category == category
                and wanted in f"{cls.__name__} {cls.help} {category}".lower()
            ]
            if found:
                self.entries += [(category, False), *((name, True) for name in found)]
        self.endResetModel()

    def rowCount(self, parent: Index = Index()) -> int:  # noqa: B008, N802
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        name, is_layer = self.entries[index.row()]
        colours = theme.current()
        if role == Qt.ItemDataRole.DisplayRole:
            return name if is_layer else name.upper()
        if role == Qt.ItemDataRole.DecorationRole and is_layer:
            return icon(icon_name(name), colour_of(name))
        if role == Qt.ItemDataRole.ToolTipRole and is_layer:
            return layers.find(name).help
        if role == Qt.ItemDataRole.AccessibleTextRole and is_layer:
            return f"{name}: {layers.find(name).help}"
        if not is_layer and role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setPointSizeF(font.pointSizeF() * 0.8)
            font.setBold(True)
            return font
        if not is_layer and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(colours.muted)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not self.entries[index.row()][1]:
            return Qt.ItemFlag.NoItemFlags
        return (
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
        )

    def mimeTypes(self) -> list[str]:  # noqa: N802
        return [LAYER]

    def mimeData(self, indexes: Sequence[Index]) -> QMimeData:  # noqa: N802
        data = QMimeData()
        if indexes:
            data.setData(LAYER, QByteArray(self.entries[indexes[0].row()][0].encode()))
        return data


class _List(QListView):
    chosen = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.insert()
        else:
            super().keyPressEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:  # noqa: N802
        index = self.currentIndex()
        model = self.model()
        if isinstance(model, PaletteModel) and index.isValid() and model.entries[index.row()][1]:
            start_drag(self, model.mimeData([index]), model.entries[index.row()][0])

    def insert(self) -> None:
        model = self.model()
        index = self.currentIndex()
        if isinstance(model, PaletteModel) and index.isValid() and model.entries[index.row()][1]:
            self.chosen.emit(model.entries[index.row()][0])


class LayerPalette(QWidget):
    """A search field and the layers. ``chosen`` carries the class name to insert."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(placeholderText="Search blocks")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search blocks")
        self.entries = PaletteModel(self)
        self.list = _List()
        self.list.setObjectName("palette")
        self.list.setAccessibleName("Palette of blocks")
        self.list.setModel(self.entries)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setDragEnabled(True)
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        line = self.fontMetrics().height()
        self.list.setIconSize(QSize(int(1.3 * line), int(1.3 * line)))
        self.list.setSpacing(max(1, line // 10))
        self.list.chosen.connect(self.chosen)
        self.list.doubleClicked.connect(lambda _: self.list.insert())
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._insert_first)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 2, line // 2, line // 2, 0)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self._select_first()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(self.fontMetrics().horizontalAdvance("M" * 15), 400)

    def recolour(self) -> None:
        """Take the colours of the current theme."""
        self.list.viewport().update()

    def _filter(self, text: str) -> None:
        self.entries.filter(text)
        self._select_first()

    def _select_first(self) -> None:
        if self.entries.rowCount() > 1:
            self.list.setCurrentIndex(self.entries.index(1))

    def _insert_first(self) -> None:
        self.list.insert()
        self.search.clear()
