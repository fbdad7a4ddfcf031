"""The properties of the selected block."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.engine.layers import registry as layers
from studio.project.checks import Row
from studio.project.edits import set_param
from studio.project.specs import changed_field
from studio.ui.document import Document
from studio.ui.forms import ParamForm, discard
from studio.ui.problem_box import ProblemBox
from studio.ui.stack_model import help_of, params_text
from studio.ui.words import Elided

HINT = "Select a block to see its settings, or drag one from the left into the stack."


class BlockPanel(QWidget):
    """Name, help, problem and one editor per declared parameter."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.block_id: int | None = None
        self.form: ParamForm | None = None
        self.setObjectName("panel")
        self.title = Elided()
        self.title.setProperty("heading", True)
        self.help = QLabel(wordWrap=True)
        self.help.setProperty("muted", True)
        self.facts = QLabel(wordWrap=True)
        self.facts.setProperty("muted", True)
        self.problem = ProblemBox()
        self.problem.fixed.connect(document.apply)
        self._layout = QVBoxLayout(self)
        for widget in (self.title, self.help, self.facts, self.problem):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        document.changed.connect(self._follow)
        self.show_block(None)

    def show_block(self, block_id: int | None) -> None:
        """Show the block of that id; a hint with None."""
        self.block_id = block_id
        self._follow()

    def _follow(self) -> None:
        rows = {row.block.id: row for row in self.document.report.rows}
        row = rows.get(self.block_id) if self.block_id is not None else None
        name = row.block.layer.class_name if row else ""
        cls = layers.find(name) if name in layers else None
        if self.form is not None and self.form.cls is not cls:
            discard(self.form)
            self.form = None
        self.title.setText(name or "No block selected")
        self.help.setText(help_of(row) if row else HINT)
        self.facts.setVisible(row is not None)
        self.problem.show_problem(row.problem if row else None)
        if row is None:
            return
        self.facts.setText(f"Output {row.shape_text}   ·   {params_text(row) or 'params unknown'}")
        if cls is None:
            return
        if self.form is None:
            self.form = ParamForm(cls)
            self.form.edited.connect(self._edit)
            self._layout.insertWidget(self._layout.count() - 1, self.form)
        self.form.show_values(row.block.layer.config, self._errors(row))

    def _errors(self, row: Row) -> dict[str, str]:
        """What is wrong with single parameters of the block."""
        return {
            found.param: found.message
            for found in self.document.report.problems
            if found.where == row.block.id and found.param and found.severity == "error"
        }

    def _edit(self, name: str, value: Any) -> None:
        block_id = self.block_id
        if block_id is None:
            return
        layer = self.document.project.block(block_id).layer
        param = layers.find(layer.class_name).params[name]
        field = changed_field(param, layer.config.get(name, param.default), value)
        self.document.edit(
            f"Set {param.label.lower()} of {layer.class_name}",
            lambda project: set_param(project, block_id, name, value),
            merge=field and f"block {block_id} {field}",
        )
