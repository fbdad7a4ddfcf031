"""Paints a block: icon, name, key settings, output shape, parameter count, problem in words."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.engine.layers import registry as layers
from studio.project.checks import Row
from studio.ui import theme
from studio.ui.icons import renderer
from studio.ui.stack_model import ROW, params_text

Index = QModelIndex | QPersistentModelIndex
State = QStyle.StateFlag


class BlockDelegate(QStyledItemDelegate):
    """All sizes follow from the font, so that any zoom and resolution look alike."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        line = option.fontMetrics.height()
        row: Row = index.data(ROW)
        height = 2 * line + 2 * _inset(line) + 2 * _gap(line)
        if row.problem:
            width = option.rect.width() or 20 * line
            text = self._problem_rect(option.fontMetrics, row, width, line)
            height += text.height() + line // 4
        return QSize(14 * line, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(ROW)
        colours = theme.current()
        metrics = option.fontMetrics
        line = metrics.height()
        gap, inset = _gap(line), _inset(line)
        selected = bool(option.state & State.State_Selected)  # pyright: ignore[reportAttributeAccessIssue]
        focused = bool(option.state & State.State_HasFocus)  # pyright: ignore[reportAttributeAccessIssue]
        card = QRectF(option.rect).adjusted(inset, gap, -inset, -gap)
        name = row.block.layer.class_name
        accent = QColor(colours.categories[category(name)] if name in layers else colours.muted)
        error = row.problem is not None and row.problem.severity == "error"
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._join(painter, option.rect, gap, colours)
        edge = colours.error if error else colours.accent if selected else colours.border
        painter.setPen(QPen(QColor(edge), 2 if selected or focused else 1))
        painter.setBrush(QColor(colours.selection if selected else colours.raised))
        painter.drawRoundedRect(card, line / 2.5, line / 2.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent)
        top, tall = card.top() + inset, card.height() - 2 * inset
        painter.drawRoundedRect(QRectF(card.left() + 1, top, line / 4, tall), 2, 2)
        side = 1.6 * line
        symbol = QRectF(card.left() + 0.7 * line, top + (2 * line - side) / 2, side, side)
        renderer(icon_name(name), accent.name()).render(painter, symbol)
        left = int(symbol.right() + 0.6 * line)
        right = int(card.right() - 0.6 * line)
        self._texts(painter, option, row, left, right, int(top), line)
        if row.problem:
            painter.setPen(QColor(colours.error if error else colours.warning))
            where = self._problem_rect(metrics, row, option.rect.width(), line)
            where.moveTopLeft(QRect(left, int(top + 2 * line + line // 4), 0, 0).topLeft())
            painter.drawText(where, Qt.TextFlag.TextWordWrap, row.problem.message)
        painter.restore()

    def _texts(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        row: Row,
        left: int,
        right: int,
        top: int,
        line: int,
    ) -> None:
        colours = theme.current()
        metrics = option.fontMetrics
        shape, params = row.shape_text, params_text(row)
        facts = max(metrics.horizontalAdvance(shape), metrics.horizontalAdvance(params))
        bold = QFont(option.font)
        bold.setBold(True)
        width = max(0, right - left - facts - line // 2)
        upper, lower = (QRect(left, y, right - left, line) for y in (top, top + line))
        near = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        far = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        end = Qt.TextElideMode.ElideRight
        painter.setFont(bold)
        painter.setPen(QColor(colours.text))
        name = QFontMetrics(bold).elidedText(row.block.layer.class_name, end, width)
        painter.drawText(upper, near, name)
        painter.setFont(option.font)
        painter.drawText(upper, far, shape)
        painter.setPen(QColor(colours.muted))
        painter.drawText(lower, near, metrics.elidedText(row.settings, end, width))
        painter.drawText(lower, far, params)

    def _problem_rect(self, metrics: QFontMetrics, row: Row, width: int, line: int) -> QRect:
        inside = max(8 * line, width - 2 * _inset(line) - int(3.6 * line))
        message = row.problem.message if row.problem else ""
        room = QRect(0, 0, inside, 40 * line)
        return metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, message)

    def _join(self, painter: QPainter, rect: QRect, gap: int, colours: theme.Theme) -> None:
        """The line that leads from a block to the next."""
        painter.setPen(QPen(QColor(colours.border), 2))
        middle = rect.center().x()
        painter.drawLine(middle, rect.top(), middle, rect.top() + gap)
        painter.drawLine(middle, rect.bottom() - gap, middle, rect.bottom() + 1)


def category(class_name: str) -> str:
    """The category that a layer declares."""
    return layers.find(class_name).category or "Core"


def icon_name(class_name: str) -> str:
    """The icon of a layer: that of its category."""
    return category(class_name).lower() if class_name in layers else "unknown"


def _gap(line: int) -> int:
    return max(2, line // 5)


def _inset(line: int) -> int:
    return max(4, line // 2)
