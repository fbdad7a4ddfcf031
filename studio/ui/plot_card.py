"""A plot in a frame, with its title and legend above it."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from studio.ui.plots import Plot


class PlotCard(QFrame):
    """The legend stands beside the title, where it covers no curve, and holds the last values."""

    def __init__(self, title: str, plot: Plot, mark: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.mark = mark
        self.title = QLabel()
        self.title.setProperty("heading", True)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setAccessibleName(f"{title}, last values")
        self.plot = plot
        plot.legend_changed.connect(self._show_legend)
        line = self.fontMetrics().height()
        head = QHBoxLayout()
        head.setContentsMargins(line // 3, 0, line // 3, 0)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 3, line // 3, line // 3, line // 4)
        layout.setSpacing(line // 4)
        layout.addLayout(head)
        layout.addWidget(plot, 1)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Say what the plot shows."""
        self.title.setText(title)
        self.plot.setAccessibleName(title)

    def _show_legend(self, entries: list[tuple[str, str]]) -> None:
        parts = [
            f'<span style="color:{colour}">{self.mark}</span>&nbsp;{escape(text)}'
            for colour, text in entries
        ]
        self.legend.setText("&nbsp;&nbsp;&nbsp;".join(parts))
