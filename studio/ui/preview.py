"""A look at data: some images, or points of two features, or the first rows as a table."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.data.catalogue import load
from studio.data.dataset import Dataset
from studio.project.values import DataChoice
from studio.ui import theme

COLUMNS, ROWS = 6, 4


class Preview(QWidget):
    """Shows a picture or a table, whichever suits the data."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = QLabel(alignment=Qt.AlignmentFlag.AlignLeft)
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName("First rows of the data")
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.picture)
        layout.addWidget(self.table)
        self.hide()

    def show_data(self, choice: DataChoice | None) -> None:
        """Load the data and show some of them.

        Raises:
            StudioError: if they cannot be loaded.
        """
        if choice is None:
            return
        data = load(choice.name, **choice.options)
        side = 17 * self.fontMetrics().height()
        picture = None
        if data.info.full_scale is not None:
            picture = images(data, side)
        elif data.info.input_shape == (2,) and data.info.class_names:
            picture = points(data, side)
        self.picture.setVisible(picture is not None)
        self.table.setVisible(picture is None)
        if picture is not None:
            self.picture.setPixmap(picture)
            self.picture.setAccessibleName(f"Samples of {data.info.title}")
        else:
            self._fill(data)
        self.show()

    def _fill(self, data: Dataset) -> None:
        names = [data.info.target_name, *data.feature_names]
        self.table.setColumnCount(len(names))
        self.table.setHorizontalHeaderLabels(names)
        rows = np.linspace(0, len(data) - 1, 8).astype(int)
        self.table.setRowCount(len(rows))
        for line, row in enumerate(rows):
            target = data.y[row]
            first = data.info.class_names[int(target)] if data.info.class_names else f"{target:g}"
            for column, text in enumerate([first, *(f"{value:.4g}" for value in data.x[row])]):
                self.table.setItem(line, column, QTableWidgetItem(text))
        self.table.setFixedHeight(11 * self.table.rowHeight(0))


def images(data: Dataset, side: int) -> QPixmap:
    """Some images of each class in a grid, enlarged without blur."""
    rows = np.random.default_rng(0).permutation(len(data))[: COLUMNS * ROWS]
    height, width = data.x.shape[1:3]
    gap = 2
    grid = np.full((ROWS * (height + gap), COLUMNS * (width + gap)), 255, np.uint8)
    scale = 255 / (data.info.full_scale or 255)
    for place, row in enumerate(rows):
        top, left = place // COLUMNS * (height + gap), place % COLUMNS * (width + gap)
        grid[top : top + height, left : left + width] = 255 - data.x[row, ..., 0] * scale
    picture = QImage(
        np.ascontiguousarray(grid).tobytes(), grid.shape[1], grid.shape[0], grid.shape[1],
        QImage.Format.Format_Grayscale8,
    )  # fmt: skip
    return QPixmap.fromImage(picture.copy()).scaledToWidth(side)


def points(data: Dataset, side: int) -> QPixmap:
    """Two features as places, the class as colour."""
    colours = theme.current()
    pixmap = QPixmap(QSize(side, side * 3 // 4))
    pixmap.fill(QColor(colours.raised))
    low, high = data.x.min(axis=0), data.x.max(axis=0)
    places = (data.x - low) / np.where(high > low, high - low, 1)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for row in range(min(len(data), 600)):
        colour = QColor(colours.training if data.y[row] == 0 else colours.validation)
        painter.setBrush(colour)
        x, y = places[row]
        place = QPointF(8 + x * (pixmap.width() - 16), 8 + (1 - y) * (pixmap.height() - 16))
        painter.drawEllipse(place, 2.5, 2.5)
    painter.end()
    return pixmap
