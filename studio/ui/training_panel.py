"""How to train: optimizer, loss, metrics, epochs, batch size, validation split, seed."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.engine.losses import losses
from studio.engine.optimizers import optimizers
from studio.project.edits import set_settings
from studio.project.metrics import metric_title, offered_metrics
from studio.project.settings import TrainingSettings
from studio.project.specs import changed_field
from studio.project.values import Spec
from studio.ui.document import Document
from studio.ui.forms import NamedListEditor, ParamForm
from studio.ui.problem_box import ProblemBox

SPECS = {"optimizer": optimizers, "loss": losses}
LIST = "metrics"


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
        editor = self.form.editors[LIST]
        assert isinstance(editor, NamedListEditor)
        self.metrics = editor
        layout = QVBoxLayout(self)
        for widget in (title, self.problem, self.form):
            layout.addWidget(widget)
        layout.addStretch(1)
        document.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        settings = self.document.project.settings
        values = {
            **vars(settings),
            **{name: getattr(settings, name).value for name in SPECS},
            LIST: [spec.value for spec in settings.metrics],
        }
        info = self.document.info
        self.metrics.offer(offered_metrics(info) if info else ())
        found = [one for one in self.document.report.problems if one.where == "settings"]
        self.form.show_values(values, {one.param: one.message for one in found if one.param})
        self.problem.show_problem(next((one for one in found if one.fixes or not one.param), None))

    def _edit(self, name: str, value: Any) -> None:
        if name == LIST:
            self._edit_metrics(tuple(Spec(one["class_name"], one["config"]) for one in value))
            return
        now, param = getattr(self.document.project.settings, name), TrainingSettings.params[name]
        field = changed_field(param, now.value if name in SPECS else now, value)
        if name in SPECS:
            value = Spec.of(value, SPECS[name]) or now
        self.document.edit(
            f"Set {param.label.lower()}",
            lambda project: set_settings(project, **{name: value}),
            merge=field and f"settings {field}",
        )

    def _edit_metrics(self, chosen: tuple[Spec, ...]) -> None:
        """Adding and removing are steps of their own; a burst in a field of one metric is one."""
        now = self.document.project.settings.metrics
        merge = None
        if len(chosen) > len(now):
            label = f"Add {metric_title(chosen[-1].class_name)}"
        else:
            # The first that differs is the one that was changed or removed.
            place = next((n for n, one in enumerate(now) if chosen[n : n + 1] != (one,)), 0)
            removed, each = len(chosen) < len(now), self.metrics.param.each
            label = f"{'Remove' if removed else 'Set'} {metric_title(now[place].class_name)}"
            if not removed:
                field = changed_field(each, now[place].value, chosen[place].value)
                merge = field and f"settings metrics {place} {field}"
        self.document.edit(label, lambda project: set_settings(project, metrics=chosen), merge)
