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
def icon(name: str, colour: str) -> QIcon:
    """The icon as Qt's widgets take it, sharp at all usual sizes."""
    found = QIcon()
    for size in SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer(name, colour).render(painter, QRectF(0, 0, size, size))
        painter.end()
        found.addPixmap(pixmap)
    return found
