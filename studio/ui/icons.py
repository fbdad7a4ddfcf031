"""Icons from the shipped SVG files, in the colour that the theme asks for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.engine.errors import StudioError
from studio.resources import resource

SIZES = (16, 24, 32, 48, 64)


@lru_cache(maxsize=256)
def renderer(name: str, colour: str) -> QSvgRenderer:
    """A renderer of the icon ``name`` in ``colour``; of a question mark where there is none."""
    try:
        path = resource("icons", f"{name}.svg")
    except StudioError:
        path = resource("icons", "unknown.svg")
    source = path.read_text(encoding="utf-8").replace("currentColor", colour)
    return QSvgRenderer(QByteArray(source.encode()))


@lru_cache(maxsize=256)
def icon(name: str, colour: str, disabled: str | None = None) -> QIcon:
    """The icon as Qt's widgets take it, sharp at all usual sizes.

    Args:
        name: of the file, without its ending.
        colour: of the lines.
        disabled: the same while the action is not available; Qt's own grey where not given.
    """
    found = QIcon()
    for size in SIZES:
        pixmap = _pixmap(name, colour, size)
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            found.addPixmap(pixmap, mode)
        if disabled is not None:
            found.addPixmap(_pixmap(name, disabled, size), QIcon.Mode.Disabled)
    return found


def _pixmap(name: str, colour: str, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer(name, colour).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
