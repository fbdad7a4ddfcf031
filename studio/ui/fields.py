"""Fields that editors are made of: Qt's own, made fit for panels of numbers.

In none of them does the wheel change a value under a pointer that only scrolls past, and keys of
the actions stay theirs: Ctrl+Z goes to the project's history, not to that of the text in the field.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QWidget,
)

from studio.ui.actions import TABLE

LADDER = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Steps of a scale that people know from instruments."""
SMALL, SHARE = 0.001, 0.05
"""The first step from zero; that of shares, which go on in such steps."""
SHORTCUTS = {QKeySequence(keys) for entry in TABLE for keys in entry.keys}


def _is_shortcut(event: QEvent) -> bool:
    """Whether it asks a field if it takes a key that is an action's."""
    return (
        event.type() == QEvent.Type.ShortcutOverride
        and isinstance(event, QKeyEvent)
        and QKeySequence(event.keyCombination()) in SHORTCUTS
    )


class Line(QLineEdit):
    """A line of text."""

    def event(self, event: QEvent) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return False if _is_shortcut(event) else super().event(event)


class RealSpin(QDoubleSpinBox):
    """Small numbers as people write them, 0.001 or 1e-07; steps that fit their size.

    What is no number, or none that may be, may stand there only until the cursor leaves: until
    then, and if Escape is pressed, the field means what it meant before it was edited. ``changed``
    says that it means something else.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._before = self._told = self.value()
        self.valueChanged.connect(self._tell)
        self.lineEdit().textEdited.connect(self._tell)

    def meant(self) -> float:
        """The number that it stands for."""
        return self.value() if self.hasAcceptableInput() else self._before

    def _tell(self, _: object) -> None:
        if self.meant() != self._told:
            self._told = self.meant()
            self.changed.emit()

    def setValue(self, val: float) -> None:  # noqa: N802
        super().setValue(val)
        self._before = self._told = self.value()

    def event(self, event: QEvent) -> bool:
        return False if _is_shortcut(event) else super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        self._before = self.meant()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        self.setValue(self.meant())
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        key = event.key()
        if key == Qt.Key.Key_Escape and self.text() != self.textFromValue(self._before):
            self.setValue(self._before)
            self.selectAll()
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.setValue(self.meant())
        super().keyPressEvent(event)

    def textFromValue(self, val: float) -> str:  # noqa: N802
        # Adding zero makes minus zero zero.
        return f"{val + 0.0:.12g}" if self.decimals() else f"{val:.0f}"

    def valueFromText(self, text: str) -> float:  # noqa: N802
        return float(text.replace(",", "."))

    def validate(self, text: str, pos: int) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        state = QValidator.State
        if not set(text) <= set("0123456789.,eE+- "):
            return (state.Invalid, text, pos)
        try:
            # In a whole number, a comma or a point could mean this or that.
            number = self.valueFromText(text) if self.decimals() else int(text)
        except ValueError:
            return (state.Intermediate, text, pos)
        inside = self.minimum() <= number <= self.maximum()
        negative = text.strip().startswith("-") and self.minimum() >= 0
        return (state.Acceptable if inside and not negative else state.Intermediate, text, pos)

    def stepBy(self, steps: int) -> None:  # noqa: N802
        value = self.meant()
        if not self.decimals():
            self.setValue(value + steps)
            return
        for _ in range(abs(steps)):
            value = self._above(value) if steps > 0 else -self._above(-value)
        self.setValue(value)

    def _above(self, value: float) -> float:
        """The next number up; numbers below zero mirror those above."""
        share = self.minimum() >= -1 and self.maximum() <= 1
        if share and abs(value) >= SHARE:
            return round(value + SHARE, 10)
        if not value:
            return SHARE if share else SMALL
        lead, exponent = f"{abs(value):.10e}".split("e")
        if value > 0:
            step = min(step for step in LADDER if step > float(lead))
            return float(f"{step}e{exponent}")
        # Where there is a way on beyond zero it is not to take for ever.
        if -value <= (SMALL if self.minimum() < 0 else 10.0 ** -self.decimals()):
            return 0.0
        step = max(step for step in LADDER if step < float(lead))
        return -float(f"{step}e{exponent}")

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Spin(RealSpin):
    """A whole number."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(0)

    def number(self) -> int:
        """What it stands for, as a whole number."""
        return int(self.meant())


class Combo(QComboBox):
    """A choice, as wide as the panel gives it and not as wide as its longest name."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        event.ignore()


def fields_of(part: QWidget) -> list[QWidget]:
    """All that Tab leads to in a part, in the order in which they were put there."""
    found = part.findChildren(QWidget)
    # The list of a choice is a window of its own.
    return [
        field
        for field in found
        if field.focusPolicy() & Qt.FocusPolicy.TabFocus and field.window() is part.window()
    ]


def first_field(part: QWidget) -> QWidget | None:
    """The first field that can be edited; buttons are none."""
    for field in fields_of(part):
        if field.isVisible() and field.isEnabled() and not isinstance(field, QPushButton):
            return field
    return None


def tab_through(before: QWidget, part: QWidget) -> QWidget:
    """Let Tab lead from a field through those of a part, which may hold it; the last of them.

    Qt leads to what was made last at the end.
    """
    for field in fields_of(part):
        QWidget.setTabOrder(before, field)
        before = field
    return before
