"""The names and last values of a plot's curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel

GAP = "&nbsp;" * 3


class Legend(QLabel):
    """Where there is no room for names the values stand by themselves: a number is never cut.

    A tooltip then tells all of it.

    Args:
        mark: the sign that has a curve's colour.
    """

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._mark = mark
        self._entries: list[tuple[str, str]] = []
        self._whole = QSize()

    def sizeHint(self) -> QSize:  # noqa: N802
        # For all of it, also where less is shown: room may be made for it.
        return self._whole

    def show_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """Show (colour, text) of each curve; a value is the last word of its text."""
        self._entries = list(entries)
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        whole = self._marked(self._entries)
        self.setText(whole)
        self._whole = super().sizeHint()
        fits = self._whole.width() <= self.width()
        if not fits:
            values = [(colour, text.split()[-1]) for colour, text in self._entries]
            self.setText(self._marked(values))
        self.setToolTip("" if fits else whole)

    def _marked(self, entries: Sequence[tuple[str, str]]) -> str:
        return GAP.join(
            f'<span style="color:{colour}">{self._mark}</span>&nbsp;{escape(text)}'
            for colour, text in entries
        )
