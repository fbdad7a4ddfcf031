"""All layers by category, to drag into the stack or to insert by Enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QVBoxLayout, QWidget

from studio.engine.layers import registry as layers
from studio.ui import theme
from studio.ui.block_delegate import colour_of, icon_name
from studio.ui.drag import start_drag
from studio.ui.fields import Line
from studio.ui.icons import icon
from studio.ui.stack_model import LAYER

CATEGORIES = (
    "Core", "Convolution", "Pooling", "Recurrent", "Regularization", "Normalization",
    "Activation", "Reshaping", "Preprocessing",
)  # fmt: skip
OPEN = {"Core", "Convolution"}
"""The categories that are unfolded at first, so that all headings are in sight."""
Index = QModelIndex
Role = Qt.ItemDataRole


class PaletteModel(QAbstractListModel):
    """Headings and, below those that are unfolded, layers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.unfolded = set(OPEN)
        self.wanted: list[str] = []
        self.found: dict[str, list[str]] = {}
        self.entries: list[tuple[str, bool]] = []
        self.filter("")

    def filter(self, text: str) -> None:
        """Keep the layers whose name, help or category holds all words, and show them all."""
        self.wanted = text.lower().split()
        self._list()

    def toggle(self, category: str) -> None:
        """Fold a category, or unfold it."""
        self.unfolded ^= {category}
        self._list()

    def is_layer(self, index: Index) -> bool:
        """Whether that row is a layer and not a heading."""
        return index.isValid() and self.entries[index.row()][1]

    def name(self, index: Index) -> str:
        """The class name of a layer, or the category of a heading."""
        return self.entries[index.row()][0]

    def _list(self) -> None:
        self.beginResetModel()
        self.found = {category: [] for category in CATEGORIES}
        for cls in layers:
            words = f"{cls.__name__} {cls.help} {cls.category}".lower()
            if cls.category and all(word in words for word in self.wanted):
                self.found[cls.category].append(cls.__name__)
        self.entries = []
        for category, names in self.found.items():
            # Short names are those of the usual layers: Conv2D before SeparableConv2D.
            names.sort(key=lambda name: (len(name), name))
            if names:
                self.entries.append((category, False))
                if self.wanted or category in self.unfolded:
                    self.entries += [(name, True) for name in names]
        self.endResetModel()

    def rowCount(self, parent: Index = Index()) -> int:  # noqa: B008, N802
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        name, is_layer = self.entries[index.row()]
        return self._layer(name, role) if is_layer else self._heading(name, role)

    def _layer(self, name: str, role: int) -> Any:
        words = f"{name}: {layers.find(name).help}"
        if role == Role.DecorationRole:
            return icon(icon_name(name), colour_of(name))
        texts = {
            Role.DisplayRole: name, Role.ToolTipRole: words, Role.AccessibleTextRole: words,
        }  # fmt: skip
        return texts.get(Role(role))

    def _heading(self, category: str, role: int) -> Any:
        is_open = bool(self.wanted) or category in self.unfolded
        if role == Role.DecorationRole:
            return icon("unfolded" if is_open else "folded", theme.current().muted)
        if role == Role.FontRole:
            font = QFont()
            font.setPointSizeF(font.pointSizeF() * 0.85)
            font.setBold(True)
            return font
        count = len(self.found[category])
        fold = "fold" if is_open else "unfold"
        texts = {
            Role.DisplayRole: category.upper() if is_open else f"{category.upper()}   {count}",
            Role.ToolTipRole: f"{count} blocks. Click or press Enter to {fold}.",
            Role.AccessibleTextRole: f"{category}, {count} blocks, Enter to {fold}",
        }
        return texts.get(Role(role))

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsDragEnabled if self.is_layer(index) else flags

    def mimeTypes(self) -> list[str]:  # noqa: N802
        return [LAYER]

    def mimeData(self, indexes: Sequence[Index]) -> QMimeData:  # noqa: N802
        data = QMimeData()
        if indexes:
            data.setData(LAYER, QByteArray(self.name(indexes[0]).encode()))
        return data


class PaletteList(QListView):
    """The rows. ``chosen`` carries the class name of a layer to insert."""

    chosen = Signal(str)

    def __init__(self, entries: PaletteModel) -> None:
        super().__init__()
        self.entries = entries
        self.setObjectName("palette")
        self.setAccessibleName("Palette of blocks")
        self.setModel(entries)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The end of a long name tells it from its neighbours: GlobalMaxPooling1D, 2D, 3D.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        side = round(1.25 * self.fontMetrics().height())
        self.setIconSize(QSize(side, side))
        self.clicked.connect(self._click)
        self.doubleClicked.connect(lambda index: self.entries.is_layer(index) and self.act())

    def act(self) -> None:
        """Insert the selected layer, or fold and unfold the selected heading."""
        index = self.currentIndex()
        if self.entries.is_layer(index):
            self.chosen.emit(self.entries.name(index))
        elif index.isValid():
            self._toggle(index)

    def _click(self, index: Index) -> None:
        if not self.entries.is_layer(index):
            self._toggle(index)

    def _toggle(self, index: Index) -> None:
        row = index.row()
        self.entries.toggle(self.entries.name(index))
        self.setCurrentIndex(self.entries.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.act()
        else:
            super().keyPressEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:  # noqa: N802
        index = self.currentIndex()
        if self.entries.is_layer(index):
            start_drag(self, self.entries.mimeData([index]), self.entries.name(index))


class LayerPalette(QWidget):
    """A search field and the layers. ``chosen`` carries the class name to insert."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = Line()
        self.search.setPlaceholderText("Search blocks")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search blocks")
        self.entries = PaletteModel(self)
        self.list = PaletteList(self.entries)
        self.list.chosen.connect(self.chosen)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._insert_first)
        line = self.fontMetrics().height()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 2, line // 2, line // 2, 0)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self._select_first()

    def recolour(self) -> None:
        """Take the colours of the current theme."""
        self.list.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        # What the search and the list leave over.
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        elif event.key() == Qt.Key.Key_Down and self.search.hasFocus():
            self.list.setFocus()
        else:
            super().keyPressEvent(event)

    def _filter(self, text: str) -> None:
        self.entries.filter(text)
        self._select_first()

    def _select_first(self) -> None:
        """Select the layer that is called as wanted, else the one whose name is nearest to it."""
        names = [name.lower() for name, is_layer in self.entries.entries if is_layer]
        words = self.entries.wanted
        # Max pool is MaxPooling1D, and conv 2D is Conv2D.
        joined = "".join(words)

        def distance(name: str) -> tuple[bool, bool, bool]:
            has_all = all(word in name for word in words)
            return name != joined, not name.startswith(joined), not has_all

        best = min(names, key=distance, default="")
        rows = [row for row, entry in enumerate(self.entries.entries) if entry[0].lower() == best]
        if rows:
            self.list.setCurrentIndex(self.entries.index(rows[-1]))

    def _insert_first(self) -> None:
        if self.entries.is_layer(self.list.currentIndex()):
            self.list.act()
            self.search.clear()
