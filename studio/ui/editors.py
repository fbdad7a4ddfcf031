"""An editor for each kind of declared parameter.

An editor shows a value with ``show_value`` and says ``edited`` with the new one, as JSON can hold
it, when the user changes it. Nothing in here knows a layer.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QHBoxLayout,
    QWidget,
)

from studio.engine.errors import StudioError
from studio.engine.params import Boolean, Choice, Integer, Integers, Param, Real
from studio.ui.fields import Combo, Line, RealSpin, Spin
from studio.ui.words import Message

LARGEST = 2**31 - 1
MOST = 2**63
"""Typed whole numbers are below this."""


class Editor(QWidget):
    """Base of the editors of one parameter."""

    edited = Signal(object)

    def show_value(self, value: Any) -> None:
        """Show a value without saying that it was edited; None where it is not set."""
        raise NotImplementedError

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """What is wrong with parts of the value that is shown next, by their names."""

    def fill(self, *widgets: QWidget) -> None:
        """Put the fields in a row; the last one is what the label belongs to."""
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            self.row.addWidget(widget, 0 if isinstance(widget, QAbstractButton) else 1)
            if isinstance(widget, QAbstractSpinBox):
                # As wide as the panel gives it, not as wide as its largest number.
                widget.setMinimumWidth(widget.fontMetrics().horizontalAdvance("0000000"))
                widget.lineEdit().setTextMargins(widget.fontMetrics().height() // 3, 0, 0, 0)
        if widgets and isinstance(widgets[-1], QCheckBox):
            self.row.addStretch(1)
        # No focus proxy: from the last field of a window, Tab would lead to one passed already.
        self.main = widgets[-1]

    def name(self, text: str) -> None:
        """Tell screen readers what it edits."""
        for widget in self.findChildren(QWidget):
            widget.setAccessibleName(text)


def mark_wrong(editor: QWidget, wrong: bool) -> None:
    """Draw the fields of an editor as wrong, or as usual."""
    for field in editor.findChildren(QWidget):
        if bool(field.property("wrong")) != wrong:
            field.setProperty("wrong", wrong)
            field.style().unpolish(field)
            field.style().polish(field)


def error_label() -> Message:
    """Room for words about a wrong value."""
    label = Message()
    label.setProperty("error", True)
    label.hide()
    return label


def show_error(label: Message, editor: Editor, text: str) -> None:
    """Say what is wrong with the value of an editor, or nothing."""
    label.setText(text)
    label.setVisible(bool(text))
    mark_wrong(editor, bool(text))


class NumberEditor(Editor):
    """A whole or real number; an optional one has a check box that sets it."""

    def __init__(self, param: Integer | Real) -> None:
        super().__init__()
        self.param = param
        if isinstance(param, Integer):
            self.field = Spin()
            low, high = -LARGEST if param.minimum is None else param.minimum, param.maximum
            self.field.setRange(low, high or LARGEST)
        else:
            self.field = RealSpin()
            self.field.setDecimals(12)
            low = param.minimum if param.minimum is not None else param.above
            high = param.maximum if param.maximum is not None else param.below
            self.field.setRange(-1e12 if low is None else low, 1e12 if high is None else high)
        self.field.changed.connect(self._tell)
        self.set = QCheckBox()
        self.set.setToolTip("Set a value")
        self.set.toggled.connect(self._toggle)
        self.fill(*([self.set] if param.optional else []), self.field)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.field), QSignalBlocker(self.set):
            self.set.setChecked(value is not None)
            self.field.setEnabled(value is not None or not self.param.optional)
            if isinstance(value, int | float) and self._value() != value:
                _show(self.field, value)

    def _value(self) -> Any:
        return self.field.number() if isinstance(self.field, Spin) else self.field.meant()

    def _tell(self) -> None:
        self.edited.emit(self._value())

    def _toggle(self, on: bool) -> None:
        self.field.setEnabled(on)
        self.edited.emit(self._value() if on else None)


def _show(field: RealSpin, value: float) -> None:
    """Show a number, or the nearest that the field may hold."""
    if value == value:
        field.setValue(float(min(max(value, field.minimum()), field.maximum())))


class BooleanEditor(Editor):
    """A check box."""

    def __init__(self, param: Boolean) -> None:
        super().__init__()
        self.box = QCheckBox()
        self.box.toggled.connect(lambda on: self.edited.emit(on))
        self.fill(self.box)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(value is True)


class ChoiceEditor(Editor):
    """A list of words."""

    def __init__(self, param: Choice) -> None:
        super().__init__()
        self.box = Combo()
        if param.optional:
            self.box.addItem("default", None)
        for option in param.options:
            self.box.addItem(option, option)
        self.box.activated.connect(lambda _: self.edited.emit(self.box.currentData()))
        self.fill(self.box)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(value))


class SizesEditor(Editor):
    """A fixed number of whole numbers side by side."""

    def __init__(self, param: Integers) -> None:
        super().__init__()
        self.param = param
        self.set = QCheckBox()
        self.set.toggled.connect(self._toggle)
        self.fields = [Spin() for _ in range(param.length or 0)]
        for field in self.fields:
            field.setRange(-LARGEST if param.minimum is None else param.minimum, 100_000)
            field.changed.connect(lambda: self.edited.emit(self._value()))
        self.fill(*([self.set] if param.optional else []), *self.fields)

    def show_value(self, value: Any) -> None:
        blocked = [QSignalBlocker(widget) for widget in (self.set, *self.fields)]
        self.set.setChecked(value is not None)
        values = [value] * len(self.fields) if isinstance(value, int) else value
        for position, field in enumerate(self.fields):
            field.setEnabled(value is not None or not self.param.optional)
            if isinstance(values, list | tuple) and position < len(values):
                number = values[position]
                if isinstance(number, int) and field.number() != number:
                    _show(field, number)
        del blocked

    def _value(self) -> list[int]:
        return [field.number() for field in self.fields]

    def _toggle(self, on: bool) -> None:
        for field in self.fields:
            field.setEnabled(on)
        self.edited.emit(self._value() if on else None)


class TextEditor(Editor):
    """A line of text: a name."""

    def __init__(self, param: Param[Any]) -> None:
        super().__init__()
        self.param = param
        self.field = Line()
        if param.optional:
            self.field.setPlaceholderText("automatic")
        self.field.textEdited.connect(lambda text: self.edited.emit(self.read(text)))
        self.fill(self.field)

    def show_value(self, value: Any) -> None:
        if not self._says(value):
            with QSignalBlocker(self.field):
                self.field.setText(self.written(value))

    def _says(self, value: Any) -> bool:
        """Whether what stands there means that value, so that it is left as it was typed."""
        typed = self.read(self.field.text())
        return typed == _lists(value) or self.same(typed, value)

    def same(self, one: Any, other: Any) -> bool:
        """Whether both are valid and mean the same."""
        try:
            return self.param.checked(one) == self.param.checked(other)
        except StudioError:
            return False

    def read(self, text: str) -> Any:
        """The value that a text means."""
        return None if self.param.optional and not text.strip() else text

    def written(self, value: Any) -> str:
        """A text that means the value."""
        return "" if value is None else str(value)


class NumbersEditor(TextEditor):
    """A number, several with commas between them, or such lists in brackets."""

    def __init__(self, param: Param[Any]) -> None:
        super().__init__(param)
        if not param.optional:
            self.field.setPlaceholderText("numbers, with commas between them")

    def read(self, text: str) -> Any:
        """Lists and numbers; the text itself, which is no value, where it is something else."""
        if not text.strip():
            return None if self.param.optional else []
        try:
            found = _lists(ast.literal_eval(text.replace("×", ",").strip()))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
        if not _only_numbers(found):
            return text
        return found if isinstance(found, list) or self.same(found, found) else [found]

    def written(self, value: Any) -> str:
        while isinstance(value, list | tuple) and value and self.same(value[0], value):
            value = value[0]
        if isinstance(value, list | tuple):
            return ", ".join(map(str, _lists(value)))
        return super().written(value)


def _lists(value: Any) -> Any:
    """Tuples as lists."""
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _only_numbers(value: Any) -> bool:
    """Whether there is nothing but numbers, and None, in lists."""
    if isinstance(value, list):
        return all(map(_only_numbers, value))
    return value is None or type(value) is float or (type(value) is int and abs(value) < MOST)


def editor_for(param: Param[Any]) -> Editor:
    """The editor of a parameter that holds no other object."""
    if isinstance(param, Integer | Real):
        return NumberEditor(param)
    if isinstance(param, Boolean):
        return BooleanEditor(param)
    if isinstance(param, Choice):
        return ChoiceEditor(param)
    if isinstance(param, Integers) and param.length:
        return SizesEditor(param)
    return NumbersEditor(param) if param.numeric else TextEditor(param)
