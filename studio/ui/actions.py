"""All actions as a table: menus, toolbar and shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from studio.ui import theme
from studio.ui.icons import icon


@dataclass(frozen=True)
class Entry:
    """One action.

    Args:
        call: what it calls, as a path from the window: ``"files.open"``. A submenu is filled by it.
        menu: the menu that it stands in.
        text: what is read in the menu; & marks the letter for the keyboard.
        keys: shortcuts, the first one shown.
        icon: the name of its icon.
        tip: what it does, for the tooltip.
        toolbar: whether it stands in the toolbar.
        checkable: whether it is a switch.
        submenu: whether it opens a menu.
        rule: whether a line stands above it.
    """

    call: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    toolbar: bool = False
    checkable: bool = False
    submenu: bool = False
    rule: bool = False

    @property
    def name(self) -> str:
        """What the action is known by: the last part of its path."""
        return self.call.rpartition(".")[2]


TABLE = (
    Entry("files.new", "&File", "&New", ("Ctrl+N",), "new", "Start with an empty stack"),
    Entry("files.open", "&File", "&Open…", ("Ctrl+O",), "open", "Open a project", toolbar=True),
    Entry("files.fill_recent", "&File", "Open &recent", submenu=True),
    Entry("files.fill_examples", "&File", "Ex&amples", submenu=True),
    Entry("files.save", "&File", "&Save", ("Ctrl+S",), "save",
          "Save the project with its weights", toolbar=True, rule=True),
    Entry("files.save_as", "&File", "Save &as…", ("Ctrl+Shift+S",)),
    Entry("files.export_keras", "&File", "Export &Keras code…", ("Ctrl+E",), "export",
          "See, copy or save the model as Keras code", toolbar=True, rule=True),
    Entry("close", "&File", "&Quit", ("Ctrl+Q",), rule=True),
    Entry("document.undo", "&Edit", "&Undo", ("Ctrl+Z",), "undo", "Take back the last edit",
          toolbar=True),
    Entry("document.redo", "&Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", "Do it again",
          toolbar=True),
    Entry("stack.remove", "&Edit", "&Delete block", tip="Delete, in the stack", rule=True),
    Entry("stack.duplicate", "&Edit", "D&uplicate block", ("Ctrl+D",)),
    Entry("stack.move_up", "&Edit", "Move block &up", tip="Alt+Up, in the stack"),
    Entry("stack.move_down", "&Edit", "Move block d&own", tip="Alt+Down, in the stack"),
    Entry("train", "&Train", "&Train", ("Ctrl+Return", "Ctrl+Enter"), "train",
          "Train the network", toolbar=True),
    Entry("pause", "&Train", "&Pause", ("Ctrl+P",), "pause",
          "Wait before the next batch, or go on", toolbar=True),
    Entry("step", "&Train", "One &batch", ("Ctrl+B",), tip="Do one batch and pause"),
    Entry("stop", "&Train", "&Stop", ("Ctrl+.",), "stop",
          "End the run; what it reached is kept", toolbar=True),
    Entry("threads.fill", "&Train", "T&hreads", submenu=True, rule=True),
    Entry("find_block", "&View", "&Find a block to add", ("Ctrl+F",)),
    Entry("show_stack", "&View", "Go to the &stack", ("Ctrl+1",)),
    Entry("show_properties", "&View", "&Block settings", ("Ctrl+2",)),
    Entry("show_data", "&View", "&Data", ("Ctrl+3",)),
    Entry("show_training", "&View", "T&raining settings", ("Ctrl+4",)),
    Entry("go_system", "&View", "Colours of the s&ystem", checkable=True, rule=True),
    Entry("go_light", "&View", "&Light", checkable=True),
    Entry("go_dark", "&View", "Dar&k", checkable=True),
    Entry("show_keys", "&Help", "&Keyboard", ("F1",)),
    Entry("about", "&Help", "&About"),
)  # fmt: skip


def make_actions(window: QMainWindow) -> Mapping[str, QAction]:
    """The actions by name, in the window's menus; each calls what its path says."""
    found: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {}
    for entry in TABLE:
        if entry.menu not in menus:
            menus[entry.menu] = window.menuBar().addMenu(entry.menu)
        menu = menus[entry.menu]
        if entry.rule:
            menu.addSeparator()
        method = attrgetter(entry.call)(window)
        if entry.submenu:
            inner = menu.addMenu(entry.text)
            inner.aboutToShow.connect(lambda method=method, inner=inner: method(inner))
            found[entry.name] = inner.menuAction()
            continue
        action = QAction(entry.text, window)
        action.setShortcuts([QKeySequence(keys) for keys in entry.keys])
        action.setCheckable(entry.checkable)
        shown = shortcut_text(entry)
        action.setToolTip(f"{entry.tip} ({shown})" if shown and entry.tip else entry.tip)
        action.triggered.connect(lambda _=False, method=method: method())
        menu.addAction(action)
        found[entry.name] = action
    return found


def shortcut_text(entry: Entry) -> str:
    """The first shortcut as this system writes it."""
    native = QKeySequence.SequenceFormat.NativeText
    return QKeySequence(entry.keys[0]).toString(native) if entry.keys else ""


def make_toolbar(window: QMainWindow, actions: Mapping[str, QAction]) -> QToolBar:
    """The toolbar; Train stands out."""
    bar = QToolBar("Main toolbar")
    bar.setMovable(False)
    line = window.fontMetrics().height()
    bar.setIconSize(QSize(round(1.5 * line), round(1.5 * line)))
    # Room for the button that shows what has none: Qt itself leaves it 12 pixels.
    bar.setContentsMargins(0, 0, round(1.5 * line), 0)
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
