"""Shows exported code before it is saved or copied."""

from __future__ import annotations

import keyword
import re

from PySide6.QtCore import QSize
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout

from studio.ui import theme

STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''


class _Python(QSyntaxHighlighter):
    """Keywords, texts, numbers and comments in colours of the theme."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        colours = theme.current()
        words = "|".join(keyword.kwlist)
        self.rules = [
            (re.compile(rf"\b(?:{words})\b"), _format(colours.categories["Convolution"])),
            (re.compile(r"\b\d[\d_.e-]*\b"), _format(colours.categories["Recurrent"])),
            (re.compile(STRING), _format(colours.categories["Pooling"])),
            (re.compile(r"#.*"), _format(colours.muted)),
        ]
        self.text = _format(colours.categories["Pooling"])

    def highlightBlock(self, text: str) -> None:  # noqa: N802
        for pattern, style in self.rules:
            for match in pattern.finditer(text):
                self.setFormat(match.start(), match.end() - match.start(), style)
        self._docstring(text)

    def _docstring(self, text: str) -> None:
        """Texts in three quotes, which may go over several lines."""
        inside = self.previousBlockState() == 1
        start = 0 if inside else text.find('"""')
        while start >= 0:
            end = text.find('"""', start + (0 if inside else 3))
            stop = len(text) if end < 0 else end + 3
            self.setFormat(start, stop - start, self.text)
            self.setCurrentBlockState(1 if end < 0 else 0)
            inside = False
            start = -1 if end < 0 else text.find('"""', stop)


def _format(colour: str) -> QTextCharFormat:
    style = QTextCharFormat()
    style.setForeground(QColor(colour))
    return style


class CodeDialog(QDialog):
    """The code with buttons to copy and to save; it is accepted when it is to be saved."""

    def __init__(self, code: str, parent: object = None) -> None:
        super().__init__(parent)  # pyright: ignore[reportArgumentType]
        self.setWindowTitle("Keras code")
        words = QLabel(
            "Runs under Keras 3 as it is. Saving also writes the data that it reads beside it.",
            wordWrap=True,
        )
        self.code = QPlainTextEdit(code, readOnly=True)
        self.code.setAccessibleName("Keras code")
        self.code.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        self.code.setFont(font)
        self._colours = _Python(self.code.document())
        self.copy_button = QPushButton("Copy")
        self.copy_button.clicked.connect(self._copy)
        self.save_button = QPushButton("Save…")
        self.save_button.setProperty("primary", True)
        self.save_button.setDefault(True)
        self.save_button.clicked.connect(self.accept)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.copy_button, close, self.save_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.code, 1)
        layout.addLayout(buttons)
        metrics = self.code.fontMetrics()
        wanted = QSize(metrics.horizontalAdvance("x" * 106), metrics.height() * 44)
        self.resize(wanted.boundedTo(self.screen().availableSize() * 0.9))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.toPlainText())
        self.copy_button.setText("Copied")
