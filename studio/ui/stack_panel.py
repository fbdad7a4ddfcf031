"""The column of the stack: the data that go in, the blocks, and what they add up to."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.data.dataset import DatasetInfo
from studio.engine.layers.base import shape_text
from studio.ui import theme
from studio.ui.card import Card, card_height, draw_card, draw_join
from studio.ui.document import Document
from studio.ui.stack_view import StackView


class DataCard(QAbstractButton):
    """The data as a card above the first block; a click leads to their settings."""

    def __init__(self) -> None:
        super().__init__()
        self.card = Card("data", "", "")
        self.joined = True
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("The data that the stack is trained on. Click to choose others.")

    def show_info(self, info: DatasetInfo | None, problem: bool, joined: bool) -> None:
        """Show data; whether there is a problem with them, and whether a block follows."""
        colours = theme.current()
        edge = colours.error if problem else ""
        title = info.title if info else "Unknown data"
        note = target_words(info) if info else "Choose others"
        shape = shape_text((None, *info.input_shape)) if info else ""
        self.card = Card("data", colours.muted, title, note, shape, "input", edge=edge)
        self.joined = joined
        self.setAccessibleName(f"Data: {title}, input {shape}, {note}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        width = self.width()
        return QSize(10 * self.fontMetrics().height(), card_height(self.card, self.font(), width))

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        self.update()

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802 # pyright: ignore[reportIncompatibleMethodOverride]
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        line = self.fontMetrics().height()
        draw_join(painter, self.rect(), line, False, self.joined)
        draw_card(painter, self.rect(), self.card, self.font(), self.hasFocus(), self.underMouse())
        painter.end()


class StackPanel(QWidget):
    """Data, blocks, and below them the number of parameters and of problems.

    ``data_wanted`` says that the data were clicked, ``problem_wanted`` carries a clicked problem.
    """

    data_wanted = Signal()
    problem_wanted = Signal(object)

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.data_card = DataCard()
        self.data_card.clicked.connect(self.data_wanted)
        self.stack = StackView(document)
        self.total = QLabel()
        self.total.setProperty("muted", True)
        self.ready = QLabel("Ready to train")
        self.ready.setProperty("good", True)
        self.trouble = QToolButton()
        self.trouble.setProperty("link", True)
        self.trouble.setToolTip("Show the first one")
        self.trouble.clicked.connect(self._show_first)
        line = self.fontMetrics().height()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, line // 2, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.data_card)
        layout.addWidget(self.stack, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(line // 2, line // 2, line // 2, line // 2)
        foot.addWidget(self.total)
        foot.addStretch(1)
        foot.addWidget(self.ready)
        foot.addWidget(self.trouble)
        layout.addLayout(foot)
        document.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Show the document as it stands."""
        report, info = self.document.report, self.document.info
        errors = self.document.errors
        self.data_card.show_info(
            info, any(found.where == "data" for found in errors), bool(report.rows)
        )
        self.total.setText(f"{report.total_params:,} parameters")
        self.ready.setVisible(not errors)
        self.trouble.setVisible(bool(errors))
        self.trouble.setText("1 problem" if len(errors) == 1 else f"{len(errors)} problems")

    def _show_first(self) -> None:
        errors = self.document.errors
        if errors:
            self.problem_wanted.emit(errors[0])


def target_words(info: DatasetInfo) -> str:
    """What is to be predicted, in a few words."""
    if not info.class_names:
        return f"predicts a number: {info.target_name}"
    return f"predicts {info.target_name}, {len(info.class_names)} classes"
