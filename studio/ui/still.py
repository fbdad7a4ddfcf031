"""Room for a label whose text changes many times a second."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class Still(QWidget):
    """Has the window laid out anew only when its label needs more room than any text before.

    A ``QLabel`` by itself does so with every text, which takes longer than drawing it.
    """

    def __init__(self, label: QLabel) -> None:
        super().__init__()
        label.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.label = label
        self._room = QSize()

    def sizeHint(self) -> QSize:  # noqa: N802
        self._room = self._room.expandedTo(self.label.sizeHint())
        return self._room

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(0, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            needed = self.label.sizeHint().expandedTo(self._room)
            if needed != self._room:
                self.updateGeometry()
        elif event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._room = QSize()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self.label.setGeometry(self.rect())
        super().resizeEvent(event)
