"""A plot in a frame, with its title, or a choice of what it shows, and its legend above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from studio.ui.fields import Combo
from studio.ui.head import Head
from studio.ui.legend import Legend
from studio.ui.plots import Plot
from studio.ui.still import Still


@dataclass(frozen=True)
class Option:
    """Something that a plot can show: its name, its title, and what it says in a sentence."""

    name: str
    title: str
    help: str


class PlotCard(QFrame):
    """The legend stands beside the title, where it covers no curve, and holds the last values.

    Where there are several things to show, a choice of them stands in the title's place;
    ``chosen`` carries the name of another one.
    """

    chosen = Signal(str)

    def __init__(self, title: str, plot: Plot, mark: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.title = QLabel()
        self.title.setProperty("heading", True)
        self.choice = Combo()
        self.choice.setProperty("heading", True)
        self.choice.setAccessibleName("Figure in the plot")
        self.choice.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self.choice.activated.connect(lambda _: self.chosen.emit(self.choice.currentData()))
        self.choice.hide()
        self._options: list[Option] = []
        self.legend = Legend(mark)
        self.plot = plot
        plot.legend_changed.connect(self.legend.show_entries)
        line = self.fontMetrics().height()
        # Title and choice begin at the same place, the choice with a frame around it.
        self.title.setIndent(line // 3)
        head = Head([self.title, self.choice], Still(self.legend))
        head.setContentsMargins(0, 0, line // 3, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 3, line // 3, line // 3, line // 4)
        layout.setSpacing(line // 4)
        layout.addWidget(head)
        layout.addWidget(plot, 1)
        self.set_title(title)

    def set_title(self, title: str) -> None:
        """Say what the plot shows."""
        self.title.setText(title)
        self.plot.setAccessibleName(title)
        self.legend.setAccessibleName(f"{title}, last values")

    def set_options(self, options: Sequence[Option], name: str) -> None:
        """Offer what the plot can show; the one of that name is shown now."""
        with QSignalBlocker(self.choice):
            if list(options) != self._options:
                self._fill(options)
            self.choice.setCurrentIndex(self.choice.findData(name))
        self.set_title(self.choice.currentText())

    def _fill(self, options: Sequence[Option]) -> None:
        self._options = list(options)
        self.title.setHidden(len(options) > 1)
        self.choice.setVisible(len(options) > 1)
        self.choice.clear()
        for place, option in enumerate(options):
            self.choice.addItem(option.title, option.name)
            self.choice.setItemData(place, option.help, Qt.ItemDataRole.ToolTipRole)

    def set_tip(self, text: str) -> None:
        """A sentence about what is shown, for who rests on the title."""
        for widget in (self.title, self.choice):
            widget.setToolTip(text)
