"""What hangs at the pointer while a block is dragged: small, so that it hides no place to drop."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QDrag, QFont, QFontMetrics, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView

from studio.ui import theme
from studio.ui.block_delegate import colour_of, icon_name
from studio.ui.icons import renderer


def start_drag(view: QAbstractItemView, data: QMimeData, class_name: str) -> None:
    """Drag a layer or block of that class; returns when it has been dropped."""
    drag = QDrag(view)
    drag.setMimeData(data)
    chip = draw_chip(view, class_name)
    drag.setPixmap(chip)
    drag.setHotSpot(QPoint(-view.fontMetrics().height(), chip.height() // 4))
    both = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    drag.exec(both, Qt.DropAction.MoveAction)


def draw_chip(view: QAbstractItemView, class_name: str) -> QPixmap:
    """Icon and name in a frame, sharp on the view's screen."""
    colours = theme.current()
    font = QFont(view.font())
    font.setBold(True)
    metrics = QFontMetrics(font)
    line = metrics.height()
    size = QSize(metrics.horizontalAdvance(class_name) + 3 * line, 2 * line)
    scale = view.devicePixelRatioF()
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(0.92)
    painter.setPen(QPen(QColor(colours.accent), 1))
    painter.setBrush(QColor(colours.raised))
    painter.drawRoundedRect(QRectF(0.5, 0.5, size.width() - 1, size.height() - 1), 6, 6)
    symbol = QRectF(line / 2, line / 3, 1.33 * line, 1.33 * line)
    renderer(icon_name(class_name), colour_of(class_name)).render(painter, symbol)
    painter.setFont(font)
    painter.setPen(QColor(colours.text))
    words = QRectF(2.2 * line, 0, size.width(), size.height())
    painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, class_name)
    painter.end()
    return pixmap
