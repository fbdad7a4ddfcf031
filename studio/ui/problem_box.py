"""A problem in words with a button for each fix."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from studio.project.problems import Problem
from studio.ui.forms import discard
from studio.ui.words import Button, Message


class ProblemBox(QFrame):
    """Shows a problem, or nothing; ``fixed`` carries the chosen fix."""

    fixed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("problem")
        self.message = Message()
        self.message.setAccessibleName("Problem")
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(self.message)
        self.buttons: list[Button] = []
        self.hide()

    def show_problem(self, problem: Problem | None) -> None:
        """Show it with its fixes; hide with None."""
        for button in self.buttons:
            discard(button)
        self.buttons = []
        self.setVisible(problem is not None)
        if problem is None:
            return
        self.message.setText(problem.message)
        for fix in problem.fixes:
            button = Button(fix.label)
            button.clicked.connect(lambda _=False, fix=fix: self.fixed.emit(fix))
            self._layout.addWidget(button)
            self.buttons.append(button)
