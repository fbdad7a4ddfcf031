"""The parts of the window side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class Panels(QSplitter):
    """Parts that share a window's width, until someone moves an edge between them.

    Widths are in heights of a line, so that they suit another font too.

    Args:
        parts: what stands side by side.
        usual: how wide each is where there is room.
        least: how wide each is at least.
        growing: which of them gets what room is left.
    """

    def __init__(
        self,
        parts: Sequence[QWidget],
        usual: Sequence[float],
        least: Sequence[float],
        growing: int,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._usual, self._least, self._growing = usual, least, growing
        self._moved = False
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        line = self.fontMetrics().height()
        for position, part in enumerate(parts):
            part.setMinimumWidth(round(least[position] * line))
            self.addWidget(part)
            self.setStretchFactor(position, int(position == growing))
        self.splitterMoved.connect(self._keep)

    def chosen_widths(self) -> list[float] | None:
        """The widths, where someone has chosen them."""
        line = self.fontMetrics().height()
        return [size / line for size in self.sizes()] if self._moved else None

    def choose_widths(self, widths: Sequence[float]) -> None:
        """Set the widths, as if someone had moved the edges."""
        self._moved = True
        self._set(widths)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        if not self._moved:
            self._set(self._shares())

    def _shares(self) -> list[float]:
        """The usual widths; where there is no room for them all parts give up some of it."""
        handles = self.handleWidth() * (self.count() - 1)
        room = (self.width() - handles) / self.fontMetrics().height()
        pairs = list(zip(self._least, self._usual, strict=True))
        share = (room - sum(self._least)) / (sum(self._usual) - sum(self._least))
        widths = [least + min(max(share, 0), 1) * (usual - least) for least, usual in pairs]
        widths[self._growing] += max(0, room - sum(widths))
        return widths

    def _set(self, widths: Sequence[float]) -> None:
        line = self.fontMetrics().height()
        self.setSizes([round(width * line) for width in widths])

    def _keep(self) -> None:
        self._moved = True
