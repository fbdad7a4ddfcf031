"""Colours, light and dark, and the style that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

Scheme = Literal["system", "light", "dark"]


@dataclass(frozen=True)
class Theme:
    """The colours of one scheme, as ``#rrggbb``."""

    dark: bool
    window: str
    surface: str
    raised: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    selection: str
    error: str
    error_surface: str
    warning: str
    training: str
    validation: str
    figures: tuple[str, str, str]
    categories: Mapping[str, str]


LIGHT = Theme(
    dark=False,
    window="#f3f4f7",
    surface="#ffffff",
    raised="#ffffff",
    text="#1b1f27",
    muted="#5b6473",
    border="#d4d8e0",
    accent="#2258c9",
    on_accent="#ffffff",
    selection="#dfe8fb",
    error="#b3261e",
    error_surface="#fdecea",
    warning="#8a5a00",
    training="#2258c9",
    validation="#c2410c",
    figures=("#2258c9", "#0f766e", "#a21caf"),
    categories={
        "Core": "#2258c9",
        "Convolution": "#7c3aed",
        "Pooling": "#0f766e",
        "Recurrent": "#b45309",
        "Regularization": "#be185d",
        "Normalization": "#4d7c0f",
        "Activation": "#c2410c",
        "Reshaping": "#475569",
        "Preprocessing": "#0369a1",
    },
)
DARK = Theme(
    dark=True,
    window="#15181e",
    surface="#1c2027",
    raised="#252a33",
    text="#e8eaef",
    muted="#a0a8b6",
    border="#363d49",
    accent="#6ea0ff",
    on_accent="#0c1220",
    selection="#2a3a5c",
    error="#ff9a90",
    error_surface="#43211f",
    warning="#f5c46b",
    training="#7fb0ff",
    validation="#ff9d5c",
    figures=("#7fb0ff", "#4fd1c0", "#e28af5"),
    categories={
        "Core": "#7fb0ff",
        "Convolution": "#b79bff",
        "Pooling": "#4fd1c0",
        "Recurrent": "#f5b45c",
        "Regularization": "#ff8fbd",
        "Normalization": "#a9d65c",
        "Activation": "#ff9d5c",
        "Reshaping": "#a9b4c4",
        "Preprocessing": "#6cc6f5",
    },
)


def current() -> Theme:
    """The theme that the application shows."""
    application = QApplication.instance()
    return DARK if application is not None and application.property("dark") else LIGHT


def apply(scheme: Scheme) -> None:
    """Show a scheme in the whole application; ``"system"`` follows the desktop's."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    hints = QGuiApplication.styleHints()
    wanted = {
        "system": Qt.ColorScheme.Unknown,
        "light": Qt.ColorScheme.Light,
        "dark": Qt.ColorScheme.Dark,
    }[scheme]
    hints.setColorScheme(wanted)
    dark = scheme == "dark" or (scheme == "system" and hints.colorScheme() == Qt.ColorScheme.Dark)
    application.setProperty("dark", dark)
    theme = DARK if dark else LIGHT
    application.setPalette(_palette(theme))
    application.setStyleSheet(_style(theme))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for target, colour in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.PlaceholderText: theme.muted,
        role.Link: theme.accent,
        role.Mid: theme.border,
    }.items():
        palette.setColor(target, QColor(colour))
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(theme.muted).darker(115))
    return palette


def _style(theme: Theme) -> str:
    return f"""
    QToolTip {{ color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border}; padding: 4px; }}
    QMainWindow::separator, QSplitter::handle {{ background: {theme.border}; }}
    QToolBar {{ background: {theme.surface}; border: 0; border-bottom: 1px solid {theme.border}; padding: 3px 6px; spacing: 2px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 4px 9px; }}
    QToolButton:hover:enabled {{ background: {theme.selection}; }}
    QToolButton:focus {{ border-color: {theme.accent}; }}
    QToolButton#train:enabled, QPushButton[primary="true"]:enabled {{
        background: {theme.accent}; color: {theme.on_accent}; font-weight: 600; }}
    QPushButton {{ border: 1px solid {theme.border}; border-radius: 6px; padding: 4px 12px; background: {theme.raised}; }}
    QPushButton:hover:enabled {{ border-color: {theme.accent}; }}
    QPushButton:focus {{ border-color: {theme.accent}; }}
    QLabel[muted="true"] {{ color: {theme.muted}; }}
    QLabel[heading="true"] {{ font-weight: 600; }}
    QLabel[error="true"] {{ color: {theme.error}; }}
    QFrame#problem {{ background: {theme.error_surface}; border: 1px solid {theme.error}; border-radius: 6px; }}
    QFrame#notice {{ background: {theme.error_surface}; border: 0; border-bottom: 1px solid {theme.error}; }}
    QFrame#notice[kind="info"] {{ background: {theme.selection}; border-bottom: 1px solid {theme.accent}; }}
    QListView, QScrollArea, QTabWidget::pane {{ border: 0; background: {theme.surface}; }}
    QScrollArea > QWidget > QWidget {{ background: {theme.surface}; }}
    QWidget#panel {{ background: {theme.surface}; }}
    QListView#palette {{ background: {theme.window}; }}
    QListView#palette::item {{ padding: 2px; border-radius: 5px; }}
    QListView#palette::item:hover {{ background: {theme.selection}; }}
    QListView#palette::item:selected {{ background: {theme.selection}; color: {theme.text}; border: 1px solid {theme.accent}; }}
    QListView#stack {{ background: {theme.window}; }}
    QTabBar::tab {{ padding: 7px 14px; border: 0; border-bottom: 2px solid transparent; color: {theme.muted}; background: {theme.surface}; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; font-weight: 600; }}
    QTabBar::tab:focus {{ background: {theme.selection}; }}
    QProgressBar {{ border: 0; border-radius: 3px; background: {theme.border}; max-height: 6px; }}
    QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
    QLineEdit {{ border: 1px solid {theme.border}; border-radius: 5px; padding: 3px 6px; background: {theme.surface}; }}
    QLineEdit:focus {{ border-color: {theme.accent}; }}
    QComboBox QAbstractItemView {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border};
        selection-background-color: {theme.selection}; selection-color: {theme.text}; }}
    QPlainTextEdit {{ border: 1px solid {theme.border}; background: {theme.surface}; color: {theme.text}; }}
    QMenuBar {{ background: {theme.surface}; color: {theme.text}; }}
    QMenuBar::item:selected, QMenu::item:selected {{ background: {theme.selection}; color: {theme.text}; }}
    QMenu {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border}; }}
    QMenu::item:disabled {{ color: {theme.muted}; }}
    QStatusBar {{ background: {theme.surface}; color: {theme.muted}; border-top: 1px solid {theme.border}; }}
    """  # noqa: E501
