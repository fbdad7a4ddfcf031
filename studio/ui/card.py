"""How a block looks: a card with icon, name, settings, output, and a problem in words.

All sizes follow from the font, so that any zoom and resolution look alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from studio.ui import theme
from studio.ui.icons import renderer

Align = Qt.AlignmentFlag
Line = tuple[str, str]


@dataclass(frozen=True)
class Card:
    """What stands on a card.

    Args:
        icon: the name of the icon.
        colour: of the icon and the strip at the left edge.
        title: the bold text.
        note: the line below it.
        shape: at the right of the title.
        amount: at the right of the note.
        problem: what is wrong, over as many lines as it takes.
        edge: the colour of the frame where it is not the usual one.
    """

    icon: str
    colour: str
    title: str
    note: str = ""
    shape: str = ""
    amount: str = ""
    problem: str = ""
    edge: str = ""


def card_height(card: Card, font: QFont, width: int) -> int:
    """How high a card of that width is, with the gaps above and below it."""
    line = QFontMetrics(font).height()
    height = len(_lines(card, font, _text_width(width, line))) * line
    if card.problem:
        height += _problem_height(card, font, width) + line // 4
    return height + 2 * inset(line) + 2 * gap(line)


def draw_card(
    painter: QPainter, rect: QRect, card: Card, font: QFont, selected: bool, hovered: bool
) -> None:
    """Paint a card into the rectangle, which has the height of :func:`card_height`."""
    colours = theme.current()
    line = QFontMetrics(font).height()
    frame = QRectF(rect).adjusted(inset(line), gap(line), -inset(line), -gap(line))
    usual = colours.accent if selected else colours.muted if hovered else colours.border
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(card.edge or usual), 2 if selected else 1))
    painter.setBrush(QColor(colours.selection if selected else colours.raised))
    painter.drawRoundedRect(frame, line / 2.5, line / 2.5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(card.colour))
    top = frame.top() + inset(line)
    strip = QRectF(frame.left() + 1.5, top, line / 4.5, frame.height() - 2 * inset(line))
    painter.drawRoundedRect(strip, 2, 2)
    side = 1.6 * line
    symbol = QRectF(frame.left() + 0.7 * line, top + 0.2 * line, side, side)
    renderer(card.icon, card.colour).render(painter, symbol)
    left = round(symbol.right() + 0.6 * line)
    where = QRect(left, round(top), _text_width(rect.width(), line), line)
    _draw_texts(painter, where, card, font)
    painter.restore()


def draw_join(painter: QPainter, rect: QRect, line: int, above: bool, below: bool) -> None:
    """The line that leads from one card to the next, in the gaps of a rectangle."""
    painter.setPen(QPen(QColor(theme.current().join), max(2, line // 8)))
    middle = rect.center().x() + 0.5
    if above:
        painter.drawLine(QPointF(middle, rect.top()), QPointF(middle, rect.top() + gap(line)))
    if below:
        end = rect.bottom() + 1
        painter.drawLine(QPointF(middle, end - gap(line)), QPointF(middle, end))


def _draw_texts(painter: QPainter, where: QRect, card: Card, font: QFont) -> None:
    colours = theme.current()
    bold = _bold(font)
    lines = _lines(card, font, where.width())
    for number, (left, right) in enumerate(lines):
        first = number == 0
        painter.setFont(bold if first else font)
        painter.setPen(QColor(colours.text if first else colours.muted))
        taken = QFontMetrics(font).horizontalAdvance(right) + where.height() // 2 if right else 0
        room = where.width() - taken
        text = painter.fontMetrics().elidedText(left, Qt.TextElideMode.ElideRight, room)
        painter.drawText(where, Align.AlignVCenter, text)
        painter.setFont(font)
        painter.drawText(where, Align.AlignVCenter | Align.AlignRight, right)
        where.translate(0, where.height())
    if card.problem:
        where.translate(0, where.height() // 4)
        where.setHeight(20 * where.height())
        painter.setPen(QColor(card.edge or colours.error))
        painter.drawText(where, Qt.TextFlag.TextWordWrap, card.problem)


def _lines(card: Card, font: QFont, width: int) -> list[Line]:
    """The texts, left and right in each line; one below another where two don't fit in one."""
    metrics = QFontMetrics(font)
    between = metrics.height() // 2
    title = QFontMetrics(_bold(font)).horizontalAdvance(card.title)
    fits = (
        title + between + metrics.horizontalAdvance(card.shape) <= width
        and metrics.horizontalAdvance(card.note + card.amount) + between <= width
    )
    if fits:
        return [(card.title, card.shape), (card.note, card.amount)]
    facts = " · ".join(text for text in (card.shape, card.amount) if text)
    return [(text, "") for text in (card.title, card.note, facts) if text]


def _problem_height(card: Card, font: QFont, width: int) -> int:
    metrics = QFontMetrics(font)
    line = metrics.height()
    area = QRect(0, 0, _text_width(width, line), 40 * line)
    return metrics.boundingRect(area, Qt.TextFlag.TextWordWrap, card.problem).height()


def _text_width(width: int, line: int) -> int:
    return max(4 * line, width - 2 * inset(line) - round(3.5 * line))


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def gap(line: int) -> int:
    """Half of the room between two cards."""
    return max(2, line // 4)


def inset(line: int) -> int:
    """The room between the edges of a card and what stands on it."""
    return max(4, line // 2)
