"""The look that follows from the colours: Qt's palette and the style sheet."""

from __future__ import annotations

import gc
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from studio.resources import resource
from studio.ui.theme import DARK, LIGHT, Theme

Scheme = Literal["system", "light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("system", "light", "dark")


def scheme(name: object) -> Scheme:
    """The scheme of that name; the system's for any other value."""
    found: dict[object, Scheme] = {known: known for known in SCHEMES}
    return found.get(name, "system")


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
    # Qt asks each widget for its size meanwhile, some of them in Python, whose collector could
    # then delete one that Qt has yet to come to.
    gc.disable()
    try:
        application.setPalette(_palette(theme))
        application.setStyleSheet(_sheet(theme))
    finally:
        gc.enable()


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
        palette.setColor(QPalette.ColorGroup.Disabled, target, QColor(theme.disabled))
    return palette


def _sheet(theme: Theme) -> str:
    """Lengths are in em, so that they follow the font; only lines are in pixels."""
    ways = ("down", "up", "more")
    down, up, more = (resource("icons", f"arrow_{way}.svg").as_posix() for way in ways)
    check = resource("icons", f"check_{'black' if theme.dark else 'white'}.svg").as_posix()
    field = f"border: 1px solid {theme.border}; border-radius: 5px; background: {theme.field};"
    return f"""
    QToolTip {{ color: {theme.text}; background: {theme.raised}; border: 1px solid {theme.border}; padding: 0.3em; }}
    QMainWindow::separator, QSplitter::handle {{ background: {theme.border}; }}
    QMenuBar {{ background: {theme.surface}; color: {theme.text}; }}
    QMenuBar::item {{ padding: 0.3em 0.7em; background: transparent; }}
    QMenuBar::item:selected, QMenu::item:selected {{ background: {theme.selection}; color: {theme.text}; }}
    QMenu {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border}; padding: 0.3em 0; }}
    QMenu::item {{ padding: 0.35em 2em 0.35em 1.6em; }}
    QMenu::item:disabled {{ color: {theme.muted}; }}
    QMenu::separator {{ height: 1px; background: {theme.border}; margin: 0.3em 0; }}
    QMenu::icon {{ padding-left: 0.6em; }}
    QMenu::indicator {{ width: 1em; height: 1em; padding-left: 0.5em; }}

    QToolBar {{ background: {theme.surface}; border: 0; border-bottom: 1px solid {theme.border}; padding: 0.25em 0.5em; spacing: 0.1em; }}
    QToolBar::separator {{ background: {theme.border}; width: 1px; margin: 0.4em 0.5em; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 6px; padding: 0.3em 0.6em; background: transparent; }}
    QToolButton:disabled {{ color: {theme.disabled}; }}
    QToolButton:hover:enabled {{ background: {theme.selection}; }}
    QToolButton:focus {{ border-color: {theme.accent}; }}
    QToolButton#qt_toolbar_ext_button {{ padding: 0.3em; min-width: 1.5em; image: url("{more}"); qproperty-icon: none; }}
    QPushButton {{ border: 1px solid {theme.border}; border-radius: 6px; padding: 0.35em 1em; background: {theme.raised}; }}
    QPushButton::menu-indicator {{ image: url("{down}"); width: 0.8em; height: 0.8em; subcontrol-position: right center; right: 0.6em; }}
    QPushButton:disabled {{ color: {theme.disabled}; }}
    QPushButton:hover:enabled, QPushButton:focus {{ border-color: {theme.accent}; }}
    QPushButton:pressed {{ background: {theme.selection}; }}
    QToolButton#train:enabled, QPushButton[primary="true"]:enabled {{
        background: {theme.accent}; color: {theme.on_accent}; font-weight: 600; }}
    QToolButton#train:hover:enabled, QPushButton[primary="true"]:hover:enabled {{ background: {theme.accent_hover}; }}
    QToolButton#train:focus, QPushButton[primary="true"]:focus {{ border-color: {theme.text}; }}
    QToolButton[link="true"] {{ padding: 0.1em 0.3em; color: {theme.error}; text-decoration: underline; }}
    QToolButton[fold="true"] {{ padding: 0.2em 0.3em; color: {theme.muted}; }}
    QToolButton[fold="true"]:checked {{ background: transparent; color: {theme.text}; }}

    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}

    QLabel[muted="true"] {{ color: {theme.muted}; }}
    QLabel[heading="true"] {{ font-weight: 600; }}
    QLabel[title="true"] {{ font-weight: 600; font-size: {_scaled(1.25)}pt; }}
    QLabel[row="true"] {{ min-height: 1.8em; }}
    QLabel[good="true"] {{ color: {theme.good}; }}
    QLabel[error="true"] {{ color: {theme.error}; }}
    QFrame#problem {{ background: {theme.error_surface}; border: 1px solid {theme.error}; border-radius: 6px; }}
    QFrame#problem[kind="warning"] {{ background: {theme.warning_surface}; border-color: {theme.warning}; }}
    QFrame#notice {{ background: {theme.error_surface}; border: 0; border-bottom: 1px solid {theme.error}; }}
    QFrame#notice[kind="info"] {{ background: {theme.selection}; border-bottom: 1px solid {theme.accent}; }}
    QFrame#inset {{ border: 0; border-left: 2px solid {theme.border}; }}
    QFrame#card {{ background: {theme.surface}; border: 1px solid {theme.border}; border-radius: 8px; }}

    QListView, QScrollArea, QTabWidget::pane {{ border: 0; background: {theme.surface}; }}
    QScrollArea > QWidget > QWidget {{ background: {theme.surface}; }}
    QWidget#panel {{ background: {theme.surface}; }}
    QListView#stack, QListView#palette {{ background: {theme.window}; }}
    QListView#palette::item {{ padding: 0.1em; border-radius: 5px; border: 1px solid transparent; color: {theme.text}; }}
    QListView#palette::item:hover:enabled {{ background: {theme.raised}; border-color: {theme.border}; }}
    QListView#palette::item:selected {{ background: {theme.raised}; color: {theme.text}; border-color: {theme.border}; }}
    QListView#palette::item:selected:active {{ background: {theme.selection}; border-color: {theme.accent}; }}
    QListView#palette::item:disabled {{ color: {theme.muted}; }}
    QTabBar {{ background: {theme.surface}; }}
    QTabBar::tab {{ padding: 0.5em 1em; border: 0; border-bottom: 2px solid transparent; color: {theme.muted}; background: {theme.surface}; }}
    QTabBar::tab:hover {{ color: {theme.text}; }}
    QTabBar::tab:selected {{ color: {theme.text}; border-bottom-color: {theme.accent}; font-weight: 600; }}
    QTabBar::tab:focus {{ background: {theme.selection}; }}

    QProgressBar {{ border: 0; border-radius: 3px; background: {theme.border}; max-height: 0.5em; }}
    QProgressBar::chunk {{ background: {theme.accent}; border-radius: 3px; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ {field} padding: 0.15em 0.4em; min-height: 1.3em; selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
    QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover {{ border-color: {theme.muted}; }}
    QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {theme.accent}; }}
    QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {theme.disabled}; background: {theme.window}; }}
    QLineEdit[wrong="true"], QSpinBox[wrong="true"], QDoubleSpinBox[wrong="true"], QComboBox[wrong="true"] {{ border-color: {theme.error}; }}
    QSpinBox::up-button, QDoubleSpinBox::up-button {{ subcontrol-position: top right; width: 1.4em; border: 0; background: transparent; }}
    QSpinBox::down-button, QDoubleSpinBox::down-button {{ subcontrol-position: bottom right; width: 1.4em; border: 0; background: transparent; }}
    QSpinBox::up-button:hover, QSpinBox::down-button:hover, QDoubleSpinBox::up-button:hover, QDoubleSpinBox::down-button:hover {{ background: {theme.selection}; }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url("{up}"); width: 0.7em; height: 0.7em; }}
    QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url("{down}"); width: 0.7em; height: 0.7em; }}
    QComboBox[heading="true"] {{ font-weight: 600; background: transparent; padding: 0 0.25em; min-height: 1.2em; }}
    QComboBox[heading="true"]:!hover:!focus {{ border-color: transparent; }}
    QComboBox::drop-down {{ border: 0; width: 1.6em; }}
    QComboBox::down-arrow {{ image: url("{down}"); width: 0.8em; height: 0.8em; }}
    QComboBox QAbstractItemView {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.border};
        selection-background-color: {theme.selection}; selection-color: {theme.text}; outline: 0; }}
    QCheckBox::indicator {{ {field} width: 1.1em; height: 1.1em; }}
    QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {theme.accent}; }}
    QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent}; image: url("{check}"); }}
    QCheckBox::indicator:checked:focus {{ border-color: {theme.text}; }}
    QPlainTextEdit {{ border: 1px solid {theme.border}; border-radius: 6px; background: {theme.surface}; color: {theme.text}; }}

    QTableView {{ border: 1px solid {theme.border}; border-radius: 5px; background: {theme.surface}; gridline-color: {theme.border}; }}
    QHeaderView::section {{ background: {theme.window}; color: {theme.muted}; border: 0; border-bottom: 1px solid {theme.border}; padding: 0.3em 0.5em; }}
    QScrollBar:vertical {{ width: 0.8em; background: transparent; margin: 0; }}
    QScrollBar:horizontal {{ height: 0.8em; background: transparent; margin: 0; }}
    QScrollBar::handle {{ background: {theme.handle}; border-radius: 4px; min-height: 2em; min-width: 2em; margin: 1px; }}
    QScrollBar::handle:hover {{ background: {theme.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """  # noqa: E501


def _scaled(factor: float) -> float:
    """A size of the font in points."""
    return round(QApplication.font().pointSizeF() * factor, 1)
