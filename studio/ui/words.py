"""Labels for texts of any length, which give way instead of making the window wider."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel

LONG = re.compile(r"\S{30}(?=\S)")
"""So much of a word, such as a path, stays together."""
BREAK = "\u200b"
"""A space without width, at which a line may end."""


class Message(QLabel):
    """Several lines, in which long words are broken too."""

    def __init__(self) -> None:
        super().__init__(wordWrap=True)

    def setText(self, text: str) -> None:  # noqa: N802
        super().setText(LONG.sub(rf"\g<0>{BREAK}", text))

    def text(self) -> str:
        return super().text().replace(BREAK, "")


class Elided(QLabel):
    """One line, with "…" in its middle where there is no room; then a tooltip tells all of it."""

    def setText(self, text: str) -> None:  # noqa: N802
        super().setText(text)
        self._tell()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._tell()

    def _tell(self) -> None:
        whole = self.text()
        self.setToolTip("" if self._shown() == whole else whole)

    def _shown(self) -> str:
        mode = Qt.TextElideMode.ElideMiddle
        return self.fontMetrics().elidedText(self.text(), mode, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        self.style().drawItemText(
            painter, self.contentsRect(), int(self.alignment()), self.palette(), self.isEnabled(),
            self._shown(), self.foregroundRole(),
        )  # fmt: skip
