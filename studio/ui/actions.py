"""All actions as a table: menus, toolbar and shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QToolBar, QToolButton

from studio.ui import theme
from studio.ui.icons import icon

if TYPE_CHECKING:
    from studio.ui.window import MainWindow


@dataclass(frozen=True)
class Entry:
    """One action.

    Args:
        name: the method of the window that it calls.
        menu: the menu that it stands in.
        text: what is read in the menu; & marks the letter for the keyboard.
        keys: shortcuts, the first one shown.
        icon: the icon; actions with one stand in the toolbar if ``toolbar``.
        toolbar: whether it stands in the toolbar.
        tip: what it does, for the tooltip.
        checkable: whether it is a switch.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    toolbar: bool = False
    tip: str = ""
    checkable: bool = False


TABLE = (
    Entry("new", "&File", "&New", ("Ctrl+N",), "new", False, "Start with an empty stack"),
    Entry("open", "&File", "&Open…", ("Ctrl+O",), "open", True, "Open a project"),
    Entry("save", "&File", "&Save", ("Ctrl+S",), "save", True, "Save the project with its weights"),
    Entry("save_as", "&File", "Save &as…", ("Ctrl+Shift+S",)),
    Entry("export_keras", "&File", "Export &Keras code…", ("Ctrl+E",), "export", True,
          "See, copy or save the model as Keras code"),
    Entry("close", "&File", "&Quit", ("Ctrl+Q",)),
    Entry("undo", "&Edit", "&Undo", ("Ctrl+Z",), "undo", True, "Take back the last edit"),
    Entry("redo", "&Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", True, "Do it again"),
    Entry("remove_block", "&Edit", "&Delete block", (), "", False, "Delete, in the stack"),
    Entry("duplicate_block", "&Edit", "D&uplicate block", ("Ctrl+D",)),
    Entry("block_up", "&Edit", "Move block &up"),
    Entry("block_down", "&Edit", "Move block d&own"),
    Entry("train", "&Train", "&Train", ("Ctrl+Return", "Ctrl+Enter"), "train", True,
          "Train the network"),
    Entry("pause", "&Train", "&Pause", ("Ctrl+P",), "pause", True,
          "Wait before the next batch, or go on"),
    Entry("step", "&Train", "One &batch", ("Ctrl+B",), "", False, "Do one batch and pause"),
    Entry("stop", "&Train", "&Stop", ("Ctrl+.",), "stop", True,
          "End the run; what it reached is kept"),
    Entry("find_block", "&View", "&Find a block to add", ("Ctrl+F",)),
    Entry("show_stack", "&View", "Go to the &stack", ("Ctrl+1",)),
    Entry("show_properties", "&View", "&Block settings", ("Ctrl+2",)),
    Entry("show_data", "&View", "&Data", ("Ctrl+3",)),
    Entry("show_training", "&View", "T&raining settings", ("Ctrl+4",)),
    Entry("follow_system", "&View", "Colours of the s&ystem", checkable=True),
    Entry("go_light", "&View", "&Light", checkable=True),
    Entry("go_dark", "&View", "Dar&k", checkable=True),
    Entry("about", "&Help", "&About"),
)  # fmt: skip


def make_actions(window: MainWindow) -> Mapping[str, QAction]:
    """The actions, in the window's menus; each calls the window's method of its name."""
    found: dict[str, QAction] = {}
    menus: dict[str, object] = {}
    for entry in TABLE:
        menu = menus.get(entry.menu)
        if menu is None:
            menu = menus[entry.menu] = window.menuBar().addMenu(entry.menu)
        action = QAction(entry.text, window)
        action.setShortcuts([QKeySequence(keys) for keys in entry.keys])
        action.setCheckable(entry.checkable)
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{entry.tip} ({shown})" if shown and entry.tip else entry.tip)
        action.setStatusTip(entry.tip)
        method = getattr(window, entry.name)
        action.triggered.connect(lambda _=False, method=method: method())
        menu.addAction(action)  # pyright: ignore[reportAttributeAccessIssue]
        found[entry.name] = action
    return found


def make_toolbar(window: MainWindow, actions: Mapping[str, QAction]) -> QToolBar:
    """The toolbar; Train stands out."""
    bar = QToolBar("Main toolbar")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    window.addToolBar(bar)
    for entry in TABLE:
        if entry.toolbar:
            if entry.name in ("undo", "train"):
                bar.addSeparator()
            bar.addAction(actions[entry.name])
            button = bar.widgetForAction(actions[entry.name])
            if isinstance(button, QToolButton):
                button.setObjectName(entry.name)
                button.setText(entry.text.replace("&", "").replace("…", ""))
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return bar


def colour_actions(actions: Mapping[str, QAction]) -> None:
    """Icons in the colours of the current theme."""
    colours = theme.current()
    for entry in TABLE:
        if entry.icon:
            colour = colours.on_accent if entry.name == "train" else colours.text
            actions[entry.name].setIcon(icon(entry.icon, colour, colours.muted))
