"""A bar above the work: an error or a message, with buttons for what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from studio.project.problems import Problem
from studio.ui import theme
from studio.ui.forms import discard
from studio.ui.head import Head
from studio.ui.icons import icon
from studio.ui.words import Button, Message

Choice = tuple[str, Callable[[], object]]


class NoticeBar(QFrame):
    """Shows one message at a time; the next replaces it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.message = Message()
        self.message.setAccessibleName("Message")
        self.close_button = QToolButton()
        self.close_button.setAccessibleName("Dismiss")
        self.close_button.clicked.connect(self.hide)
        self.buttons: list[Button] = []
        below = QWidget()
        self._row = QHBoxLayout(below)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addStretch(1)
        layout = QHBoxLayout(self)
        layout.addWidget(Head([self.message], below), 1)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.problem: Problem | None = None
        self.hide()

    def show_problem(self, problem: Problem, choices: Sequence[Choice]) -> None:
        """Show what keeps training from starting; it is ``problem`` until the next text."""
        self.show_message(f"This network can't be trained yet. {problem.message}", choices)
        self.problem = problem

    def show_message(self, text: str, choices: Sequence[Choice] = (), kind: str = "error") -> None:
        """Show a text, and a button per choice, which closes the bar."""
        for button in self.buttons:
            discard(button)
        self.buttons = []
        self.problem = None
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.close_button.setIcon(icon("close", theme.current().text))
        self.message.setText(text)
        for label, act in choices:
            button = Button(label)
            button.clicked.connect(self.hide)
            button.clicked.connect(lambda _=False, act=act: act())
            self._row.insertWidget(self._row.count() - 1, button)
            self.buttons.append(button)
        self.show()
