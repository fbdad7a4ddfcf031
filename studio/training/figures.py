"""Figures of single classes."""

from __future__ import annotations

from collections.abc import Sequence

from studio.engine.metrics import classification_report
from studio.engine.workspace import Array
from studio.training.events import ClassFigures


def class_figures(matrix: Array, names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """Precision, recall and F1 of each class.

    Args:
        matrix: how often each true class (row) was taken for each class (column).
        names: of the classes.
    """
    report = classification_report(matrix)
    figures = (report.precision, report.recall, report.f1, report.support)
    return tuple(
        ClassFigures(name, float(p), float(r), float(f), int(n))
        for name, p, r, f, n in zip(names, *figures, strict=True)
    )
