"""Figures of single classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studio.engine.workspace import Array
from studio.training.events import ClassFigures


def class_figures(matrix: Array, names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """Precision, recall and F1 of each class.

    Args:
        matrix: how often each true class (row) was taken for each class (column).
        names: of the classes.
    """
    hits = np.diag(matrix).astype(np.float64)
    taken, there = matrix.sum(axis=0), matrix.sum(axis=1)
    precision = _ratio(hits, taken)
    recall = _ratio(hits, there)
    f1 = _ratio(2 * hits, taken + there)
    return tuple(
        ClassFigures(name, float(p), float(r), float(f), int(n))
        for name, p, r, f, n in zip(names, precision, recall, f1, there, strict=True)
    )


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
