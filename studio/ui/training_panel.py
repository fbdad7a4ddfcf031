"""How to train: optimizer, loss, epochs, batch size, validation split, seed."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.engine.losses import losses
from studio.engine.optimizers import optimizers
from studio.project.edits import set_settings
from studio.project.settings import TrainingSettings
from studio.project.values import Spec
from studio.ui.document import Document
from studio.ui.forms import ParamForm
from studio.ui.problem_box import ProblemBox

SPECS = {"optimizer": optimizers, "loss": losses}


class TrainingPanel(QWidget):
    """One form for the whole of the settings, whose bounds the project declares."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.setObjectName("panel")
        title = QLabel("Training")
        title.setProperty("heading", True)
        self.problem = ProblemBox()
        self.problem.fixed.connect(document.apply)
        self.form = ParamForm(TrainingSettings)
        self.form.edited.connect(self._edit)
        layout = QVBoxLayout(self)
        for widget in (title, self.problem, self.form):
            layout.addWidget(widget)
        layout.addStretch(1)
        document.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        settings = self.document.project.settings
        values = {**vars(settings), **{name: getattr(settings, name).value for name in SPECS}}
        found = [one for one in self.document.report.problems if one.where == "settings"]
        self.form.show_values(values, {one.param: one.message for one in found if one.param})
        self.problem.show_problem(next((one for one in found if one.fixes or not one.param), None))

    def _edit(self, name: str, value: Any) -> None:
        if name in SPECS:
            value = Spec.of(value, SPECS[name]) or getattr(self.document.project.settings, name)
        label = TrainingSettings.params[name].label.lower()
        self.document.edit(
            f"Set {label}",
            lambda project: set_settings(project, **{name: value}),
            merge=f"settings {name}",
        )
