"""A form for whatever declares parameters: layers, optimizers, losses, options of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.engine.params import Declared, Param
from studio.engine.registry import Registry
from studio.project.specs import new_spec, with_value
from studio.project.values import Spec
from studio.ui.editors import Combo, Editor, editor_for, mark_wrong

CONSTANT = "constant"


class NamedEditor(Editor):
    """Chooses one of a registry's classes; ``below`` shows the parameters of the chosen one.

    A parameter that may also be a plain number (a learning rate or a schedule) has that as its
    first choice.
    """

    def __init__(self, param: Param[Any], registry: Registry[Any]) -> None:
        super().__init__()
        self.param = param
        self.registry = registry
        number: Param[Any] | None = getattr(param, "number", None)
        self.number = None if number is None else editor_for(number)
        self.form: ParamForm | None = None
        self.below = QFrame()
        self.below.setObjectName("inset")
        self._inner = QVBoxLayout(self.below)
        line = self.fontMetrics().height()
        self._inner.setContentsMargins(line // 2, 0, 0, 0)
        self.below.hide()
        self._spec: Spec | None = None
        self.box = Combo()
        if self.number is not None:
            self.box.addItem(CONSTANT, CONSTANT)
        if param.optional:
            self.box.addItem("none", None)
        for cls in registry:
            self.box.addItem(registry.spelled(cls.__name__), cls.__name__)
            summary = getattr(cls, "help", "") or (cls.__doc__ or "").split("\n")[0]
            self.box.setItemData(self.box.count() - 1, summary, Qt.ItemDataRole.ToolTipRole)
        self.box.activated.connect(self._choose)
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setCheckable(True)
        self.more.setToolTip("More settings")
        self.more.setProperty("fold", True)
        self.more.toggled.connect(self.below.setVisible)
        self.more.hide()
        self.fill(self.box, self.more)
        self.setFocusProxy(self.box)
        if self.number is not None:
            self.row.addWidget(self.number, 1)
            self.number.edited.connect(self.edited)

    def show_value(self, value: Any) -> None:
        plain = self.number is not None and not isinstance(value, str | Mapping)
        self._spec = None if plain or value is None else Spec.of(value, self.registry)
        data: Any = CONSTANT if plain else self._spec.class_name if self._spec else None
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(data))
        if self.number is not None:
            self.number.setVisible(plain)
            if plain:
                self.number.show_value(value)
        cls = self.registry.find(self._spec.class_name) if self._spec else None
        if self.form is not None and self.form.cls is not cls:
            discard(self.form)
            self.form = None
        if self.form is None and cls is not None and cls.params:
            rare = all(param.advanced for param in cls.params.values())
            self.form = ParamForm(cls, fold=not rare)
            self.form.edited.connect(self._change)
            self._inner.addWidget(self.form)
            self.more.setChecked(not rare)
            self.more.setVisible(rare)
        if self.form is None:
            self.more.hide()
        self.below.setVisible(self.form is not None and self.more.isChecked())
        if self.form is not None and self._spec is not None:
            self.form.show_values(self._spec.config)

    def _choose(self, _: int) -> None:
        name = self.box.currentData()
        if name == CONSTANT:
            self.edited.emit(self.param.default)
        else:
            self.edited.emit(None if name is None else new_spec(self.registry, name).value)

    def _change(self, name: str, value: Any) -> None:
        assert self._spec is not None
        cls = self.registry.find(self._spec.class_name)
        config = with_value(cls, self._spec.config, name, value)
        self.edited.emit(Spec(self._spec.class_name, config).value)


class ParamForm(QWidget):
    """A row per parameter; ``edited`` says name and value.

    Args:
        cls: the class that declares the parameters.
        fold: whether the rarely used ones hide behind a switch.
    """

    edited = Signal(str, object)

    def __init__(self, cls: type[Declared], fold: bool = True) -> None:
        super().__init__()
        self.cls = cls
        self.editors: dict[str, Editor] = {}
        self._errors: dict[str, QLabel] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        params = list(cls.params.values())
        rare = [param for param in params if param.advanced and fold]
        layout.addLayout(self._rows([param for param in params if param not in rare]))
        if rare:
            self._fold(layout, rare)

    def _rows(self, params: list[Param[Any]]) -> QFormLayout:
        line = self.fontMetrics().height()
        rows = QFormLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        rows.setVerticalSpacing(line // 2)
        rows.setHorizontalSpacing(line // 2)
        for param in params:
            editor = self._editor(param)
            label = QLabel(param.label)
            label.setProperty("row", True)
            label.setBuddy(editor)
            tip = f"{param.help} ({param.expected})" if param.help else param.expected
            for widget in (label, editor):
                widget.setToolTip(tip)
            rows.addRow(label, editor)
            rows.addRow(self._errors[param.name])
            if isinstance(editor, NamedEditor):
                rows.addRow(editor.below)
        return rows

    def _editor(self, param: Param[Any]) -> Editor:
        registry: Registry[Any] | None = getattr(param, "registry", None)
        editor = editor_for(param) if registry is None else NamedEditor(param, registry)
        name = param.name
        editor.edited.connect(lambda value: self.edited.emit(name, value))
        editor.name(param.label)
        self.editors[name] = editor
        error = QLabel(wordWrap=True)
        error.setProperty("error", True)
        error.hide()
        self._errors[name] = error
        return editor

    def _fold(self, layout: QVBoxLayout, params: list[Param[Any]]) -> None:
        more = QToolButton()
        more.setText("More settings")
        more.setCheckable(True)
        more.setProperty("fold", True)
        more.setArrowType(Qt.ArrowType.RightArrow)
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        box = QWidget()
        box.setLayout(self._rows(params))
        box.hide()

        def toggle(on: bool) -> None:
            box.setVisible(on)
            more.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)

        more.toggled.connect(toggle)
        layout.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(box)

    def show_values(
        self, config: Mapping[str, Any], errors: Mapping[str, str] | None = None
    ) -> None:
        """Show a configuration, and what is wrong with it by name."""
        for name, editor in self.editors.items():
            param = self.cls.params[name]
            default = None if param.required else param.to_config(param.checked(param.default))
            editor.show_value(config.get(name, default))
            text = (errors or {}).get(name, "")
            self._errors[name].setText(text)
            self._errors[name].setVisible(bool(text))
            mark_wrong(editor, bool(text))


def discard(widget: QWidget) -> None:
    """Take a widget out of sight at once, and out of memory when Qt is ready for it."""
    widget.hide()
    widget.deleteLater()
