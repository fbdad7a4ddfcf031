"""Which data to train on, and what they look like."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from studio.data.catalogue import catalogue
from studio.data.dataset import DatasetInfo
from studio.engine.errors import StudioError
from studio.engine.layers.base import shape_text
from studio.project.edits import set_data, set_data_option
from studio.project.examples import EXAMPLES, Example
from studio.project.values import DataChoice
from studio.ui.document import Document
from studio.ui.forms import ParamForm, discard
from studio.ui.preview import Preview
from studio.ui.problem_box import ProblemBox
from studio.ui.words import Button

KINDS = {"regression": "a number", "binary": "one of 2 classes", "multiclass": "one of {} classes"}


class DataPanel(QWidget):
    """The choice, its description, its options and a preview."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.form: ParamForm | None = None
        self.setObjectName("panel")
        title = QLabel("Data")
        title.setProperty("heading", True)
        self.box = QComboBox()
        self.box.setAccessibleName("Data set")
        for info in catalogue():
            self.box.addItem(info.title, info.name)
        self.box.activated.connect(self._choose)
        self.description, self.facts, self.source = (QLabel(wordWrap=True) for _ in range(3))
        for label in (self.facts, self.source):
            label.setProperty("muted", True)
        self.problem = ProblemBox()
        self.problem.fixed.connect(document.apply)
        self.preview = Preview()
        self.example = Button()
        self.example.setToolTip("Blocks and settings that suit these data; undo brings yours back")
        self.example.clicked.connect(self._take_example)
        self._layout = QVBoxLayout(self)
        for widget in (
            title, self.box, self.problem, self.description, self.facts, self.example,
            self.preview, self.source,
        ):  # fmt: skip
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        self._shown: DataChoice | None = None
        document.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        choice, info = self.document.project.data, self.document.info
        found = [one for one in self.document.report.problems if one.where == "data"]
        self.problem.show_problem(found[0] if found else None)
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(choice.name))
        cls = info.options if info is not None and info.options.params else None
        if self.form is not None and self.form.cls is not cls:
            discard(self.form)
            self.form = None
        if cls is not None and self.form is None:
            self.form = ParamForm(cls)
            self.form.edited.connect(self._edit_option)
            self._layout.insertWidget(4, self.form)
            # Among the children too, whose order Tab follows.
            self.form.stackUnder(self.facts)
        if self.form is not None:
            self.form.show_values(
                choice.options, {one.param: one.message for one in found if one.param}
            )
        example = self._example()
        self.example.setVisible(example is not None)
        self.example.setText(f"Take the example: {example.title}" if example else "")
        if choice == self._shown:
            return
        self._shown = choice
        self._describe(info)
        # Reading the data waits until the window has been painted.
        QTimer.singleShot(0, self, self._show_preview)

    def _describe(self, info: DatasetInfo | None) -> None:
        for label in (self.description, self.facts, self.source):
            label.setVisible(info is not None)
        if info is None:
            return
        samples = self.document.project.data.options.get("samples")
        samples = samples if isinstance(samples, int) else info.samples
        target = KINDS[info.kind].format(len(info.class_names))
        shape = shape_text((None, *info.input_shape))
        self.description.setText(info.description)
        self.facts.setText(f"{samples:,} samples of {shape}; predicts {target}: {info.target_name}")
        self.source.setText(info.source)

    def _show_preview(self) -> None:
        try:
            self.preview.show_data(self._shown)
        except StudioError:
            # The check says what is wrong with the choice; there is nothing to show.
            self.preview.hide()

    def _example(self) -> Example | None:
        """A shipped project for the chosen data, if it is another than the one at hand."""
        project = self.document.project
        found = (one for one in EXAMPLES if one.project.data.name == project.data.name)
        return next((one for one in found if one.project.blocks != project.blocks), None)

    def _take_example(self) -> None:
        if (example := self._example()) is not None:
            self.document.edit(f"Take example {example.title}", lambda _: example.project)

    def _choose(self, _: int) -> None:
        name = self.box.currentData(Qt.ItemDataRole.UserRole)
        if name == self.document.project.data.name:
            return
        self.document.edit("Choose data", lambda project: set_data(project, DataChoice(name)))

    def _edit_option(self, name: str, value: Any) -> None:
        self.document.edit(
            f"Set {name} of the data",
            lambda project: set_data_option(project, name, value),
            merge=f"data {name}",
        )
