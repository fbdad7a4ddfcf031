"""The help: what the keyboard can do, and what this is."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

import studio
from studio.ui.actions import TABLE, shortcut_text

IN_PLACE = (
    ("Enter", "in the palette: insert the block after the selected one"),
    ("Delete", "in the stack: remove the selected block"),
    ("Alt+Up, Alt+Down", "in the stack: move the selected block"),
    ("Tab, Shift+Tab", "to the next or previous part of the window"),
)


def show_keys(parent: QWidget) -> None:
    """List all shortcuts."""
    plain = ((shortcut_text(entry), entry.text.replace("&", "")) for entry in TABLE if entry.keys)
    rows = "".join(
        f"<tr><td><b>{escape(keys)}</b></td><td>&nbsp;&nbsp;{escape(words.rstrip('…'))}</td></tr>"
        for keys, words in (*plain, *IN_PLACE)
    )
    box = QDialog(parent)
    box.setWindowTitle("Keyboard")
    table = QLabel(f"<table>{rows}</table>")
    line = table.fontMetrics().height()
    table.setMargin(line // 2)
    area = QScrollArea()
    area.setWidget(table)
    area.setWidgetResizable(True)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok)
    buttons.accepted.connect(box.accept)
    layout = QVBoxLayout(box)
    layout.addWidget(area)
    layout.addWidget(buttons)
    # Room for all of it and a scroll bar, where the screen has that.
    wanted = table.sizeHint() + QSize(3 * line, 6 * line)
    box.resize(wanted.boundedTo(parent.screen().availableSize() * 0.85))
    box.exec()
    box.deleteLater()


def show_about(parent: QWidget) -> None:
    """Name, version, and whom the data are from."""
    QMessageBox.about(
        parent,
        "Sequential Studio",
        f"<b>Sequential Studio {studio.__version__}</b><p>Build, train and export neural "
        "networks block by block.</p><p>MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0. "
        "Other data as in scikit-learn, BSD 3-Clause.</p>",
    )
