"""How many threads train: a choice of this computer, not of the project."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMenu

from studio.engine.parallel import cores

KEY = "threads"


class ThreadChoice:
    """Remembers the choice; until there is one, all processors train."""

    def __init__(self, settings: QSettings) -> None:
        self.settings = settings

    @property
    def count(self) -> int:
        """How many threads the next run has."""
        try:
            chosen = int(str(self.settings.value(KEY, 0)))
        except ValueError:
            chosen = 0
        return chosen if 1 <= chosen <= cores() else cores()

    def choose(self, count: int) -> None:
        """Remember a choice; 0 is all processors, also on a computer with more of them."""
        self.settings.setValue(KEY, count)

    def fill(self, menu: QMenu) -> None:
        """Offer the numbers of threads there may be."""
        menu.clear()
        most = cores()
        for count in range(1, most + 1):
            text = f"All processors ({most})" if count == most else str(count)
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(count == self.count)
            stored = 0 if count == most else count
            action.triggered.connect(lambda _=False, stored=stored: self.choose(stored))
