"""A form for whatever declares parameters: layers, optimizers, losses, options of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.engine.params import Declared, Param
from studio.engine.registry import Registry
from studio.project.specs import new_spec, with_value
from studio.project.values import Spec
from studio.ui.editors import Editor, editor_for

CONSTANT = "constant"


class NamedEditor(Editor):
    """Chooses one of a registry's classes, and shows the parameters of the chosen one below.

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
        self._spec: Spec | None = None
        self.box = _Combo()
        if self.number is not None:
            self.box.addItem(CONSTANT, CONSTANT)
        if param.optional:
            self.box.addItem("none", None)
        for cls in registry:
            self.box.addItem(registry.spelled(cls.__name__), cls.__name__)
            summary = getattr(cls, "help", "") or (cls.__doc__ or "").split("\n")[0]
            self.box.setItemData(self.box.count() - 1, summary, Qt.ItemDataRole.ToolTipRole)
        self.box.activated.connect(self._choose)
        self.inner = QVBoxLayout(self)
        self.inner.setContentsMargins(0, 0, 0, 0)
        self.inner.addWidget(self.box)
        if self.number is not None:
            self.inner.addWidget(self.number)
            self.number.edited.connect(self.edited)
        self.setFocusProxy(self.box)

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
            self.inner.removeWidget(self.form)
            self.form.deleteLater()
            self.form = None
        if cls is None or self._spec is None:
            return
        if self.form is None and cls.params:
            self.form = ParamForm(cls, inset=True)
            self.form.edited.connect(self._change)
            self.inner.addWidget(self.form)
        if self.form is not None:
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


class _Combo(QComboBox):
    def __init__(self) -> None:
        super().__init__()
        # As wide as the panel gives it, not as wide as its longest name.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)

    def wheelEvent(self, event: Any) -> None:  # noqa: N802
        event.ignore()


class ParamForm(QWidget):
    """A row per parameter, the rarely used ones behind a switch; ``edited`` says name and value.

    Args:
        cls: the class that declares the parameters.
        skip: names that are not shown.
        inset: whether it stands inside another form.
    """

    edited = Signal(str, object)

    def __init__(self, cls: type[Declared], skip: Iterable[str] = (), inset: bool = False) -> None:
        super().__init__()
        self.cls = cls
        self.editors: dict[str, Editor] = {}
        self._errors: dict[str, QLabel] = {}
        line = self.fontMetrics().height()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(line // 2 if inset else 0, 0, 0, 0)
        hidden = set(skip)
        shown = [param for name, param in cls.params.items() if name not in hidden]
        layout.addLayout(self._rows([param for param in shown if not param.advanced]))
        rare = [param for param in shown if param.advanced]
        if rare:
            self._fold(layout, rare)

    def _rows(self, params: list[Param[Any]]) -> QFormLayout:
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        rows.setVerticalSpacing(self.fontMetrics().height() // 2)
        for param in params:
            rows.addRow(*self._row(param))
        return rows

    def _row(self, param: Param[Any]) -> tuple[QLabel, QWidget]:
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
        label = QLabel(param.label)
        label.setBuddy(editor)
        tip = f"{param.help} ({param.expected})" if param.help else param.expected
        for widget in (label, editor):
            widget.setToolTip(tip)
        field = QWidget()
        column = QVBoxLayout(field)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(editor)
        column.addWidget(error)
        return label, field

    def _fold(self, layout: QVBoxLayout, params: list[Param[Any]]) -> None:
        more = QToolButton()
        more.setText("More settings")
        more.setCheckable(True)
        more.setArrowType(Qt.ArrowType.RightArrow)
        more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        more.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        box = QWidget()
        rows = self._rows(params)
        rows.setContentsMargins(0, 0, 0, 0)
        box.setLayout(rows)
        box.hide()

        def toggle(on: bool) -> None:
            box.setVisible(on)
            more.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)

        more.toggled.connect(toggle)
        layout.addWidget(more)
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
