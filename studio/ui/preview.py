"""A look at data: some images, or points of two features, or some rows as a table."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QStyle,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.data.catalogue import load
from studio.data.dataset import Dataset
from studio.project.values import DataChoice
from studio.ui import theme

COLUMNS, ROWS = 8, 5
POINTS = 600


class Preview(QWidget):
    """Shows a picture or a table, whichever suits the data."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = Picture()
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName("Some rows of the data")
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
        info = data.info
        flat = info.input_shape == (2,) and bool(info.class_names)
        pictured = info.full_scale is not None or flat
        self.picture.setVisible(pictured)
        self.table.setVisible(not pictured)
        if pictured:
            self.picture.show_data(data)
        else:
            self._fill(data)
        self.show()

    def _fill(self, data: Dataset) -> None:
        names = [data.info.target_name, *data.feature_names]
        self.table.setColumnCount(len(names))
        self.table.setHorizontalHeaderLabels(names)
        rows = np.linspace(0, len(data) - 1, 8).astype(int)
        self.table.setRowCount(len(rows))
        line = self.fontMetrics().height()
        for place, row in enumerate(rows):
            target = data.y[row]
            first = data.info.class_names[int(target)] if data.info.class_names else f"{target:g}"
            for column, text in enumerate([first, *(f"{value:.4g}" for value in data.x[row])]):
                self.table.setItem(place, column, QTableWidgetItem(text))
            self.table.setRowHeight(place, 2 * line)
        bars = self.table.horizontalScrollBar().sizeHint().height()
        head = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(head + 2 * line * len(rows) + bars + 4)


class Picture(QWidget):
    """Images in a grid without blur, or points in two colours; as wide as the panel."""

    def __init__(self) -> None:
        super().__init__()
        self.grid: QImage | None = None
        self.places = np.empty((0, 2))
        self.classes = np.empty(0, dtype=np.int64)
        self._across = self.width()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_data(self, data: Dataset) -> None:
        """Show images, or the points of two features."""
        if data.info.full_scale is not None:
            self.grid = images(data)
        else:
            self.grid = None
            low, high = data.x.min(axis=0), data.x.max(axis=0)
            self.places = ((data.x - low) / np.where(high > low, high - low, 1))[:POINTS]
            self.classes = data.y[:POINTS]
        self.setAccessibleName(f"Samples of {data.info.title}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        ratio = 0.7 if self.grid is None else self.grid.height() / self.grid.width()
        width = min(self._across, 28 * self.fontMetrics().height())
        return QSize(10 * self.fontMetrics().height(), round(width * ratio))

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802 # pyright: ignore[reportIncompatibleMethodOverride]
        # Not for the width of a scroll bar: with it the picture would be lower, fit without the
        # bar, be higher again, and so on until the stack overflows.
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self)
        if abs(self.width() - self._across) > bar:
            self._across = self.width()
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        if self.grid is not None:
            self.grid.setColorTable(shades())
            ratio = self.grid.height() / self.grid.width()
            width = min(self.width(), self.height() / ratio)
            # A little larger is best done smoothly, much larger so that the pixels can be seen.
            smooth = width < 2 * self.grid.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(QRectF(0, 0, width, width * ratio), self.grid)
        else:
            self._paint_points(painter)
        painter.end()

    def _paint_points(self, painter: QPainter) -> None:
        colours = theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        size = self.fontMetrics().height() / 5
        width, height = self.width() - 4 * size, self.height() - 4 * size
        for (x, y), number in zip(self.places, self.classes, strict=True):
            painter.setBrush(QColor(colours.validation if number else colours.training))
            centre = QPointF(2 * size + x * width, 2 * size + (1 - y) * height)
            painter.drawEllipse(centre, size, size)


def images(data: Dataset) -> QImage:
    """Some images in a grid, as shades from 0 (paper) to 255 (ink)."""
    rows = np.random.default_rng(0).permutation(len(data))[: COLUMNS * ROWS]
    height, width = data.x.shape[1:3]
    gap = max(1, height // 8)
    grid = np.zeros((ROWS * (height + gap) - gap, COLUMNS * (width + gap) - gap), np.uint8)
    scale = 255 / (data.info.full_scale or 255)
    for place, row in enumerate(rows):
        top, left = place // COLUMNS * (height + gap), place % COLUMNS * (width + gap)
        grid[top : top + height, left : left + width] = data.x[row, ..., 0] * scale
    high, wide = grid.shape
    return QImage(grid.tobytes(), wide, high, wide, QImage.Format.Format_Indexed8).copy()


def shades() -> list[int]:
    """The colours from the panel's paper to the text's ink, for both schemes."""
    colours = theme.current()
    paper, ink = QColor(colours.surface), QColor(colours.text)
    start, end = ((one.red(), one.green(), one.blue()) for one in (paper, ink))
    steps = np.linspace(start, end, 256).round().astype(int)
    return [QColor(*step).rgb() for step in steps.tolist()]
