"""The live plots: curves that grow, and the figures of each class as bars."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGraphicsItem

from studio.training.events import ClassFigures
from studio.ui.theme import Theme

FIGURES = ("precision", "recall", "f1")
LABELS = ("precision", "recall", "F1")
FEW = 60
"""Up to so many points a curve is drawn thick, smooth and with a mark at each point; thick or
smooth lines of many points are slow to draw."""
GAP = 6
"""Pixels between the names of two classes, at least."""
FURTHEST = 10**9
"""The last epoch that an axis reaches, whatever a file asks for."""

pg.setConfigOptions(antialias=False)


class Series:
    """Points of a curve in an array that grows by doubling; x as float64, which plots fastest."""

    def __init__(self) -> None:
        self._values = np.empty((2, 256))
        self.count = 0

    def add(self, x: float, y: float) -> None:
        """One more point."""
        if self.count == self._values.shape[1]:
            self._values = np.concatenate([self._values, np.empty_like(self._values)], axis=1)
        self._values[0, self.count] = x
        self._values[1, self.count] = y
        self.count += 1

    @property
    def x(self) -> np.ndarray:
        """The x of all points."""
        return self._values[0, : self.count]

    @property
    def y(self) -> np.ndarray:
        """The y of all points; NaN where the line breaks."""
        return self._values[1, : self.count]


class Curves:
    """The points of one figure: of the batches, and of training and validation by epoch."""

    NAMES = ("batches", "training", "validation")

    def __init__(self) -> None:
        self.series = {name: Series() for name in self.NAMES}

    def add(self, name: str, epoch: float, value: float) -> None:
        """One more point of a curve; what is not finite is none."""
        if isfinite(value):
            self.series[name].add(epoch, value)

    def break_line(self) -> None:
        """The line of the batches begins anew: another epoch, another mean."""
        series = self.series["batches"]
        if series.count:
            series.add(series.x[-1], np.nan)


class Plot(pg.PlotWidget):
    """What both kinds of plots share; ``legend_changed`` carries (colour, text) of each curve."""

    legend_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        # pyqtgraph's methods are passed on at run time, which no type checker can see.
        self.item: Any = self.getPlotItem()
        self.item.setMenuEnabled(False)
        self.item.hideButtons()
        self.item.layout.setContentsMargins(0, 0, 8, 0)
        self.setMouseEnabled(False, False)
        for side in ("left", "bottom"):
            # Drawing text takes longer than all the rest, and it seldom changes.
            axis = self.item.getAxis(side)
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(480, 150)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(120, 60)

    def paint_axes(self, theme: Theme) -> None:
        """Take the theme's colours and the window's font, which pyqtgraph does not by itself."""
        self.setBackground(theme.surface)
        for side in ("left", "bottom"):
            axis = self.item.getAxis(side)
            axis.setPen(pg.mkPen(theme.border))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.setStyle(tickFont=self.font(), tickLength=-4)
        self.item.showGrid(x=False, y=True, alpha=0.2)


class CurvePlot(Plot):
    """One figure of training and of validation over the epochs, on the same axes.

    Within an epoch a thin line follows the mean so far; at its end a point joins the curve.
    """

    def __init__(self) -> None:
        super().__init__()
        self.item.setDownsampling(auto=True, mode="peak")
        self.item.setClipToView(True)
        self.curves = {name: self.item.plot(connect="finite") for name in Curves.NAMES}
        self.points = Curves()
        self._drawn: dict[str, int] = {}
        self._thick: dict[str, bool] = {}
        self._colours: dict[str, Any] = {}

    @property
    def series(self) -> dict[str, Series]:
        """The points by the name of their curve."""
        return self.points.series

    def take(self, points: Curves) -> None:
        """Draw other points in the place of these, and what will be added to them."""
        if points is not self.points:
            self.points = points
            self._drawn.clear()
            self.show_points()

    def set_range(self, epochs: int) -> None:
        """Show that many epochs from the start."""
        self.item.setXRange(0, min(max(1, epochs), FURTHEST), padding=0.02)

    def show_points(self) -> bool:
        """Draw what was added to the points, and say whether anything was."""
        stale = [name for name, one in self.series.items() if one.count != self._drawn.get(name)]
        if not stale:
            return False
        for name in stale:
            series, curve = self.series[name], self.curves[name]
            self._drawn[name] = series.count
            few = name != "batches" and series.count <= FEW
            if few != self._thick.get(name):
                self._thick[name] = few
                curve.setPen(pg.mkPen(self._colours[name], width=2 if few else 1))
                curve.setSymbol("o" if few else None)
            curve.setData(series.x, series.y, antialias=few)
        if any(self._drawn.values()):
            self.item.enableAutoRange(axis="y")
        else:
            self.item.setYRange(0, 1, padding=0.05)
        self._tell_legend()
        return True

    def recolour(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.paint_axes(theme)
        faint = pg.mkColor(theme.training)
        faint.setAlpha(120)
        colours = (faint, pg.mkColor(theme.training), pg.mkColor(theme.validation))
        for name, colour in zip(Curves.NAMES, colours, strict=True):
            self._colours[name] = colour
            curve = self.curves[name]
            curve.setPen(pg.mkPen(colour, width=1))
            curve.setSymbolSize(6)
            curve.setSymbolBrush(colour)
            curve.setSymbolPen(None)
        self._thick.clear()
        self._drawn.clear()
        self.show_points()

    def _tell_legend(self) -> None:
        entries: list[tuple[str, str]] = []
        for name in ("training", "validation"):
            series = self.series[name]
            value = f" {series.y[-1]:.4g}" if series.count else ""
            entries.append((self._colours[name].name(), name + value))
        self.legend_changed.emit(entries)


class ClassPlot(Plot):
    """Precision, recall and F1 of each class as groups of three bars."""

    def __init__(self) -> None:
        super().__init__()
        self.bars = [pg.BarGraphItem(x=[], height=[], width=0.26) for _ in FIGURES]
        for bars in self.bars:
            self.item.addItem(bars)
        self.names: tuple[str, ...] = ()
        ticks = [(value, f"{value:g}") for value in (0, 0.25, 0.5, 0.75, 1)]
        self.item.getAxis("left").setTicks([ticks])
        self.item.getViewBox().sigResized.connect(self._show_names)

    def start(self, names: Sequence[str]) -> None:
        """Make room for those classes."""
        self.names = tuple(names)
        middle, half = (len(names) - 1) / 2, max(len(names), 4) / 2 + 0.1
        self.item.setXRange(middle - half, middle + half, padding=0)
        self._show_names()
        self.item.setYRange(0, 1.04, padding=0)
        self.setToolTip("")
        for bars in self.bars:
            bars.setOpts(x=[], height=[])

    def _show_names(self) -> None:
        """Write each name below its bars, as far as there is room; the tip has all of it."""
        box = self.item.getViewBox()
        first, last = box.viewRange()[0]
        room = int(box.width() / (last - first)) - GAP
        metrics, end = self.fontMetrics(), Qt.TextElideMode.ElideRight
        short = [metrics.elidedText(name, end, room) for name in self.names]
        self.item.getAxis("bottom").setTicks([list(enumerate(short))])

    def show_figures(self, classes: Sequence[ClassFigures]) -> None:
        """Draw the figures of an epoch."""
        x = np.arange(len(classes), dtype=np.float64)
        for place, (bars, figure) in enumerate(zip(self.bars, FIGURES, strict=True)):
            heights = np.array([getattr(one, figure) for one in classes])
            bars.setOpts(x=x + 0.27 * (place - 1), height=heights)
        self.setToolTip(figures_table(classes))

    def recolour(self, theme: Theme) -> None:
        """Take the theme's colours."""
        self.paint_axes(theme)
        for bars, colour in zip(self.bars, theme.figures, strict=True):
            bars.setOpts(brush=pg.mkBrush(colour), pen=pg.mkPen(None))
        self.legend_changed.emit(list(zip(theme.figures, LABELS, strict=True)))


def figures_table(classes: Sequence[ClassFigures]) -> str:
    """The figures in numbers, as HTML."""
    heads = "".join(f"<th>&nbsp; {label}</th>" for label in (*LABELS, "samples"))
    rows = "".join(
        f"<tr><td>{one.name}</td>"
        + "".join(f"<td align=right>{getattr(one, figure):.3f}</td>" for figure in FIGURES)
        + f"<td align=right>{one.support}</td></tr>"
        for one in classes
    )
    return f"<table><tr><th></th>{heads}</tr>{rows}</table>"
