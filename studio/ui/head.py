"""A line with something at either end."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

BESIDE, BELOW = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom


class Head(QWidget):
    """The end stands below the start where there is no room for it beside it.

    Args:
        start: what stands at the left; of several, one is shown.
        end: what stands at the right.
    """

    def __init__(self, start: Sequence[QWidget], end: QWidget) -> None:
        super().__init__()
        # Its parent decides how wide it is, which it could not find out otherwise.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._start, self._end = start, end
        self._layout = QBoxLayout(BESIDE, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in start:
            self._layout.addWidget(widget, 1)
        self._layout.addWidget(end)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._turn()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._turn()
        return super().event(event)

    def _turn(self) -> None:
        shown = [widget for widget in self._start if not widget.isHidden()]
        gaps = self._layout.spacing() * len(shown)
        needed = sum(widget.sizeHint().width() for widget in (*shown, self._end)) + gaps
        direction = BESIDE if needed <= self.width() else BELOW
        if direction != self._layout.direction():
            self._layout.setDirection(direction)
