"""Labels and buttons for any text, which give way instead of making the window wider."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
)

LONG = re.compile(r"\S{30}(?=\S)")
"""So much of a word, such as a path, stays together."""
JOINT = re.compile(r"[a-z](?=[A-Z])")
"""Where the name of a class is broken if need be: Global, Average, Pooling2D."""
BREAK = "\u200b"
"""A space without width, at which a line may end."""


def _breakable(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(rf"\g<0>{BREAK}", text)


class Message(QLabel):
    """Several lines, in which long words are broken too."""

    def __init__(self) -> None:
        super().__init__(wordWrap=True)

    def setText(self, text: str) -> None:  # noqa: N802
        super().setText(_breakable(text, LONG))

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


class Button(QPushButton):
    """A push button whose text goes on in the next line where there is no room."""

    FLAGS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter
    LETTERS = 50
    """How many stand in a line where the layout leaves it to the button."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def _lines(self) -> str:
        return _breakable(_breakable(self.text(), LONG), JOINT)

    def _option(self) -> QStyleOptionButton:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""  # pyright: ignore[reportAttributeAccessIssue]
        return option

    def _around(self, words: QSize) -> QSize:
        """The size of the button around a text of that size."""
        kind = QStyle.ContentsType.CT_PushButton
        return self.style().sizeFromContents(kind, self._option(), words, self)

    def _words(self, width: int) -> QSize:
        """The size of the text in lines of that width, or of its longest word."""
        room = QRect(0, 0, width, 2**15)
        return self.fontMetrics().boundingRect(room, int(self.FLAGS), self._lines()).size()

    def sizeHint(self) -> QSize:  # noqa: N802
        usual = self.LETTERS * self.fontMetrics().averageCharWidth()
        size = self._words(2**15)
        return self._around(size if size.width() <= usual else self._words(usual))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        line = self.fontMetrics().height()
        return self._around(QSize(self._words(0).width(), line))

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        frame = self._around(QSize(0, 0)).width()
        return self._around(self._words(max(0, width - frame))).height()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter, option = QStylePainter(self), self._option()
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        inside = QStyle.SubElement.SE_PushButtonContents
        painter.drawItemText(
            self.style().subElementRect(inside, option, self), int(self.FLAGS), option.palette,
            self.isEnabled(), self._lines(), option.palette.ColorRole.ButtonText,
        )  # fmt: skip
