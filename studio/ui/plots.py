"""The live plots: curves that grow, and the figures of each class as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize

from studio.training.events import ClassFigures
from studio.ui.theme import Theme

FIGURES = ("precision", "recall", "f1")
LABELS = ("Precision", "Recall", "F1")


class Series:
    """Points of a curve in an array that grows by doubling; x as float64, which plots fastest."""

    def __init__(self) -> None:
        self._values = np.empty((2, 256))
        self.count = 0

    def add(self, x: float, y: float) -> None:
        """One more point."""
        if self.count == self._values.shape[1]:
            self._values = np.concatenate([self._values, np.empty_like(self._values)], axis=1)
        self._values[:, self.count] = x, y
        self.count += 1

    @property
    def x(self) -> np.ndarray:
        """The x of all points."""
        return self._values[0, : self.count]

    @property
    def y(self) -> np.ndarray:
        """The y of all points."""
        return self._values[1, : self.count]


class CurvePlot(pg.PlotWidget):
    """One figure of training and of validation over the epochs, on the same axes.

    Within an epoch a thin line follows the mean so far; at its end a point joins the curve.

    Args:
        title: what it shows.
        legend: offset of the legend from the edges, negative from the right and the bottom.
    """

    NAMES = ("batches", "training", "validation")

    def __init__(self, title: str, legend: tuple[int, int]) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.heading = title
        # pyqtgraph's methods are passed on at run time, which no type checker can see.
        item: Any = self.getPlotItem()
        self.item = item
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        self.setMouseEnabled(False, False)
        self.setLabel("bottom", "epoch")
        self.legend = item.addLegend(offset=legend, labelTextSize=text_size(self))
        self.curves = {name: item.plot() for name in self.NAMES}
        for name in ("training", "validation"):
            self.legend.addItem(self.curves[name], name)
        self.series: dict[str, Series] = {}
        self._stale: set[str] = set()
        self._colours: dict[str, Any] = {}
        self.clear_points()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(480, 190)

    def clear_points(self) -> None:
        """Forget all points."""
        self.series = {name: Series() for name in self.NAMES}
        for curve in self.curves.values():
            curve.setData([], [])

    def set_range(self, epochs: int) -> None:
        """Show that many epochs from the start."""
        self.item.setXRange(0, max(1, epochs), padding=0.02)

    def add(self, name: str, epoch: float, value: float) -> None:
        """One more point of a curve; seen after the next :meth:`show_points`."""
        if np.isfinite(value):
            self.series[name].add(epoch, value)
            self._stale.add(name)

    def show_points(self) -> None:
        """Draw what was added."""
        for name in self._stale:
            series = self.series[name]
            # A mark at each point helps while there are few; many would be a smear.
            few = name != "batches" and series.count <= 60
            curve = self.curves[name]
            # Thick lines are slow to draw when there are many points.
            curve.setPen(pg.mkPen(self._colours[name], width=2 if few else 1))
            curve.setData(series.x, series.y, symbol="o" if few else None, antialias=few)
        self._stale.clear()

    def recolour(self, theme: Theme) -> None:
        """Take the theme's colours."""
        paint(self, theme, self.heading)
        faint = pg.mkColor(theme.training)
        faint.setAlpha(110)
        for name, colour in zip(
            self.NAMES, (faint, pg.mkColor(theme.training), pg.mkColor(theme.validation)),
            strict=True,
        ):  # fmt: skip
            curve = self.curves[name]
            self._colours[name] = colour
            curve.setPen(pg.mkPen(colour, width=1))
            curve.setSymbolSize(6)
            curve.setSymbolBrush(colour)
            curve.setSymbolPen(None)
        recolour_legend(self.legend, theme)


class ClassPlot(pg.PlotWidget):
    """Precision, recall and F1 of each class as groups of three bars."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Figures of each class")
        # pyqtgraph's methods are passed on at run time, which no type checker can see.
        item: Any = self.getPlotItem()
        self.item = item
        item.setMenuEnabled(False)
        item.hideButtons()
        self.setMouseEnabled(False, False)
        self.item.setYRange(0, 1, padding=0.02)
        self.legend = item.addLegend(offset=(-8, 1), colCount=3, labelTextSize=text_size(self))
        self.bars = [pg.BarGraphItem(x=[], height=[], width=0.26) for _ in FIGURES]
        for bars, label in zip(self.bars, LABELS, strict=True):
            item.addItem(bars)
            self.legend.addItem(bars, label)
        self.heading = "Figures of each class"
        self.names: tuple[str, ...] = ()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(480, 190)

    def start(self, names: Sequence[str]) -> None:
        """Make room for those classes."""
        self.names = tuple(names)
        short = [name if len(name) <= 14 else name[:13] + "…" for name in names]
        self.getAxis("bottom").setTicks([list(enumerate(short))])
        self.item.setXRange(-0.6, max(0.6, len(names) - 0.4), padding=0)
        self.item.setYRange(0, 1.35, padding=0)
        self.getAxis("left").setTicks([[(v, f"{v:g}") for v in (0, 0.25, 0.5, 0.75, 1)]])
        for bars in self.bars:
            bars.setOpts(x=[], height=[])

    def show_figures(self, classes: Sequence[ClassFigures], validated: bool) -> None:
        """Draw the figures of an epoch."""
        x = np.arange(len(classes), dtype=np.float64)
        for place, (bars, figure) in enumerate(zip(self.bars, FIGURES, strict=True)):
            heights = np.array([getattr(one, figure) for one in classes])
            bars.setOpts(x=x + 0.27 * (place - 1), height=heights)
        part = "validation" if validated else "training"
        self.setTitle(f"{self.heading} ({part})", color=self._text, size=text_size(self))

    def recolour(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self._text = theme.text
        paint(self, theme, self.heading)
        for bars, colour in zip(self.bars, theme.figures, strict=True):
            bars.setOpts(brush=pg.mkBrush(colour), pen=pg.mkPen(None))
        recolour_legend(self.legend, theme)


def recolour_legend(legend: pg.LegendItem, theme: Theme) -> None:
    """Texts of the legend in the theme's colour; those that are there are not told by pyqtgraph."""
    legend.setLabelTextColor(theme.text)
    for _, label in legend.items:
        label.setText(label.text, color=theme.text)


def text_size(plot: pg.PlotWidget) -> str:
    """The size of the window's text, which pyqtgraph does not take by itself."""
    return f"{plot.font().pointSizeF():g}pt"


def paint(plot: pg.PlotWidget, theme: Theme, title: str) -> None:
    """Background, axes, grid and title in the theme's colours."""
    plot.setBackground(theme.surface)
    plot.setTitle(title, color=theme.text, size=text_size(plot))
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.muted))
    plot.showGrid(x=False, y=True, alpha=0.18)
