"""A form for whatever declares parameters: layers, optimizers, losses, options of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.engine.params import Declared, Param
from studio.engine.registry import NamedList, Registry
from studio.project.specs import keeping, new_spec, own_values, with_value
from studio.project.values import Spec
from studio.ui.editors import Editor, editor_for, error_label, show_error
from studio.ui.fields import Combo
from studio.ui.words import Message

CONSTANT = "constant"
LONGEST = 20
"""How many letters of an unknown class are shown."""


class NamedEditor(Editor):
    """Chooses one of a registry's classes; ``below`` shows the parameters of the chosen one.

    A parameter that may also be a plain number (a learning rate or a schedule) has that as its
    first choice.

    Args:
        param: what is edited.
        registry: the classes to choose from.
        folded: whether all parameters of the chosen one hide at first, not only rarely used ones.
    """

    def __init__(self, param: Param[Any], registry: Registry[Any], folded: bool = False) -> None:
        super().__init__()
        self.param = param
        self.registry = registry
        self.folded = folded
        number: Param[Any] | None = getattr(param, "number", None)
        self.number = None if number is None else editor_for(number)
        self._called: str = getattr(param, "called", "")
        self._value: Any = None
        self.form: ParamForm | None = None
        self.below = QFrame()
        self.below.setObjectName("inset")
        self._inner = QVBoxLayout(self.below)
        line = self.fontMetrics().height()
        self._inner.setContentsMargins(line // 2, 0, 0, 0)
        self.below.hide()
        self._spec: Spec | None = None
        self._errors: Mapping[str, str] = {}
        self._offers: Mapping[str, Spec] = {}
        self.box = Combo()
        starts: Mapping[str, Any] = getattr(param, "starts", {})
        self.offer({cls.__name__: new_spec(registry, cls.__name__, starts) for cls in registry})
        self.box.activated.connect(self._choose)
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setCheckable(True)
        self.more.setToolTip("More settings")
        self.more.setProperty("fold", True)
        self.more.toggled.connect(self.below.setVisible)
        self.more.hide()
        self.fill(self.box, self.more)
        self.main = self.box
        if self.number is not None:
            self.row.addWidget(self.number, 1)
            self.number.edited.connect(self.edited)

    def offer(self, specs: Mapping[str, Spec]) -> None:
        """Offer these classes, each with the parameters that it starts with when it is chosen."""
        if specs == self._offers:
            return
        self._offers = specs
        self.box.clear()
        if self.number is not None:
            self.box.addItem(CONSTANT, CONSTANT)
        if self.param.optional:
            self.box.addItem("none", None)
        for name in specs:
            self._add_item(name)

    def _add_item(self, name: str) -> None:
        self.box.addItem(self.registry.spelled(name), name)
        tip = summary(self.registry.find(name))
        self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        self._errors = errors

    def show_value(self, value: Any) -> None:
        self._value = value
        plain = self.number is not None and not isinstance(value, str | Mapping)
        self._spec = None if plain or value is None else Spec.of(value, self.registry)
        data: Any = CONSTANT if plain else self._spec.class_name if self._spec else None
        with QSignalBlocker(self.box):
            if self._spec is not None and self.box.findData(data) < 0:
                self._add_item(self._spec.class_name)
            self.box.setCurrentIndex(self.box.findData(data))
            unknown = value.get("class_name") if isinstance(value, Mapping) else ""
            self.box.setPlaceholderText("" if self._spec else str(unknown)[:LONGEST])
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
            self.more.setChecked(not (rare or self.folded))
            self.more.setVisible(rare or self.folded)
        if self.form is None:
            self.more.hide()
        if self._errors:
            self.more.setChecked(True)
        self.below.setVisible(self.form is not None and self.more.isChecked())
        if self.form is not None and self._spec is not None:
            self.form.show_values(self._spec.config, self._errors)

    def _choose(self, _: int) -> None:
        name = self.box.currentData()
        if name == CONSTANT:
            self.edited.emit(self._config().get(self._called, self.param.default))
        elif name is None:
            self.edited.emit(None)
        elif self._spec is None or name != self._spec.class_name:
            offered = self._offers.get(name) or new_spec(self.registry, name)
            self.edited.emit(keeping(offered, self.registry, self._config()).value)

    def _config(self) -> Mapping[str, Any]:
        """The values that another class may take over."""
        if self._spec is not None:
            return own_values(self._spec, self.registry)
        return {} if self.number is None else {self._called: self._value}

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
        self._errors: dict[str, Message] = {}
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
            label.setBuddy(editor.main)
            tip = f"{param.help} ({param.expected})" if param.help else param.expected
            for widget in (label, editor):
                widget.setToolTip(tip)
            rows.addRow(label, editor)
            rows.addRow(self._errors[param.name])
            if isinstance(editor, NamedEditor | NamedListEditor):
                rows.addRow(editor.below)
        return rows

    def _editor(self, param: Param[Any]) -> Editor:
        registry: Registry[Any] | None = getattr(param, "registry", None)
        if isinstance(param, NamedList):
            editor = NamedListEditor(param)
        else:
            editor = editor_for(param) if registry is None else NamedEditor(param, registry)
        name = param.name
        editor.edited.connect(lambda value: self.edited.emit(name, value))
        editor.name(param.label)
        self.editors[name] = editor
        self._errors[name] = error_label()
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
        """Show a configuration, and what is wrong with it by name.

        What is wrong with a part of a value goes by the names of both: ``"optimizer.momentum"``.
        """
        errors = errors or {}
        for name, editor in self.editors.items():
            param = self.cls.params[name]
            default = None if param.required else param.to_config(param.checked(param.default))
            show_error(self._errors[name], editor, errors.get(name, ""))
            editor.show_errors(inner(errors, name))
            editor.show_value(config.get(name, default))


class _Row(QWidget):
    """One of a list: what it is, a switch that shows its parameters, and a button that removes it.

    Args:
        editor: what it is, and its parameters.
    """

    def __init__(self, editor: NamedEditor) -> None:
        super().__init__()
        self.editor = editor
        self.remove = QToolButton()
        self.remove.setText("×")
        self.remove.setProperty("fold", True)
        self.error = error_label()
        head = QHBoxLayout()
        for row in (head, editor.row):
            row.setSpacing(self.fontMetrics().height() // 6)
        head.addWidget(editor, 1)
        head.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.error)
        layout.addWidget(editor.below)

    def show_item(self, value: Any, label: str, errors: Mapping[str, str], place: str) -> None:
        """Show an object of the list, which screen readers know by ``label``."""
        show_error(self.error, self.editor, errors.get(place, ""))
        self.editor.show_errors(inner(errors, place))
        self.editor.show_value(value)
        what = self.editor.box.currentText() or self.editor.box.placeholderText()
        self.editor.box.setAccessibleName(label)
        self.editor.more.setAccessibleName(f"Settings of {what}")
        self.remove.setAccessibleName(f"Remove {what}")
        self.remove.setToolTip(f"Remove {what}")


class NamedListEditor(Editor):
    """A button that adds one of a registry's classes; ``below`` shows those of the list."""

    def __init__(self, param: NamedList[Any]) -> None:
        super().__init__()
        self.param = param
        self.registry = param.registry
        self.rows: list[_Row] = []
        self._value: list[Any] = []
        self._errors: Mapping[str, str] = {}
        self._label = param.label
        self._offers: Mapping[str, Spec] = {}
        self.menu = QMenu()
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.add = QPushButton(f"Add {param.registry.what}")
        self.add.setMenu(self.menu)
        self.add.setMinimumWidth(self.fontMetrics().horizontalAdvance(self.add.text()))
        self.below = QFrame()
        self.below.setObjectName("inset")
        self._inner = QVBoxLayout(self.below)
        line = self.fontMetrics().height()
        self._inner.setContentsMargins(line // 2, 0, 0, 0)
        self._inner.setSpacing(line // 3)
        self.fill(self.add)

    def name(self, text: str) -> None:
        self._label = text

    def offer(self, specs: Iterable[Spec]) -> None:
        """Offer these, each with the parameters that it starts with."""
        self._offers = {spec.class_name: spec for spec in specs}

    def show_errors(self, errors: Mapping[str, str]) -> None:
        self._errors = errors

    def show_value(self, value: Any) -> None:
        self._value = list(value)
        while len(self.rows) > len(self._value):
            self._drop(self.rows[-1])
        while len(self.rows) < len(self._value):
            self._add_row()
        for number, (row, item) in enumerate(zip(self.rows, self._value, strict=True), 1):
            row.editor.offer(self._offers)
            row.show_item(item, f"{self._label} {number}", self._errors, str(number))
        self.below.setVisible(bool(self.rows))
        self.add.setEnabled(bool(self._rest()))

    def _rest(self) -> list[Spec]:
        there = {item["class_name"] for item in self._value}
        return [spec for name, spec in self._offers.items() if name not in there]

    def _fill_menu(self) -> None:
        self.menu.clear()
        for spec in self._rest():
            action = self.menu.addAction(self.registry.spelled(spec.class_name))
            action.setToolTip(summary(self.registry.find(spec.class_name)))
            action.triggered.connect(
                lambda _=False, spec=spec: self.edited.emit([*self._value, spec.value])
            )

    def _add_row(self) -> None:
        row = _Row(NamedEditor(self.param.each, self.registry, folded=True))
        row.editor.edited.connect(lambda value: self._change(row, value))
        row.remove.clicked.connect(lambda: self._remove(row))
        self.rows.append(row)
        self._inner.addWidget(row)

    def _drop(self, row: _Row) -> None:
        self.rows.remove(row)
        self._inner.removeWidget(row)
        discard(row)

    def _change(self, row: _Row, value: Any) -> None:
        changed = list(self._value)
        changed[self.rows.index(row)] = value
        self.edited.emit(changed)

    def _remove(self, row: _Row) -> None:
        position = self.rows.index(row)
        self._drop(row)
        self.edited.emit([*self._value[:position], *self._value[position + 1 :]])
        # The cursor stays where the next one has moved up.
        field = self.rows[min(position, len(self.rows) - 1)].remove if self.rows else self.add
        field.setFocus()


def summary(cls: type[Declared]) -> str:
    """What a class is, in a sentence."""
    return getattr(cls, "help", "") or (cls.__doc__ or "").split("\n")[0]


def inner(errors: Mapping[str, str], name: str) -> dict[str, str]:
    """The errors of the parts of a value, by the names that they have in it."""
    start = f"{name}."
    return {key[len(start) :]: text for key, text in errors.items() if key.startswith(start)}


def discard(widget: QWidget) -> None:
    """Take a widget out of sight at once, and out of memory when Qt is ready for it."""
    widget.hide()
    widget.deleteLater()
