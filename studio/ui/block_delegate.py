"""Paints the blocks of the stack as cards."""

from __future__ import annotations

from textwrap import shorten

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.engine.layers import registry as layers
from studio.project.checks import Row
from studio.ui import theme
from studio.ui.card import Card, card_height, draw_card, draw_join
from studio.ui.stack_model import ROW, params_text

Index = QModelIndex | QPersistentModelIndex
State = QStyle.StateFlag
MOST = 240
"""So many letters of a problem stand on a card; tooltip and settings hold all of them."""


class BlockDelegate(QStyledItemDelegate):
    """Paints each row as a card, joined to the next."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self.view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        width = self.view.viewport().width()
        height = card_height(block_card(index.data(ROW)), option.font, width)
        return QSize(min(width, 10 * option.fontMetrics.height()), height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        state: State = option.state  # pyright: ignore[reportAttributeAccessIssue]
        line = option.fontMetrics.height()
        draw_join(painter, option.rect, line, True, index.row() + 1 < index.model().rowCount())
        draw_card(
            painter,
            option.rect,
            block_card(index.data(ROW)),
            option.font,
            bool(state & State.State_Selected),
            bool(state & State.State_MouseOver),
        )


def block_card(row: Row) -> Card:
    """What stands on the card of a block."""
    colours = theme.current()
    name = row.block.layer.class_name
    found = row.problem
    problem, edge = "", ""
    if found is not None:
        problem = shorten(found.message, MOST, placeholder=" …")
        edge = colours.error if found.severity == "error" else colours.warning
    return Card(
        icon_name(name), colour_of(name), name, row.settings, row.shape_text, params_text(row),
        problem, edge,
    )  # fmt: skip


def colour_of(class_name: str) -> str:
    """The colour of a layer: that of its category."""
    colours = theme.current()
    if class_name not in layers:
        return colours.muted
    return colours.categories[layers.find(class_name).category or "Core"]


def icon_name(class_name: str) -> str:
    """The icon of a layer: that of its category."""
    if class_name not in layers:
        return "unknown"
    return (layers.find(class_name).category or "Core").lower()
