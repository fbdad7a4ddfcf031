"""Columns of numbers as CSV, the form in which curves are kept and handed on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np

from studio.engine.errors import FormatError
from studio.engine.workspace import Array


def to_csv(columns: Mapping[str, Array]) -> str:
    """A header and a line per row, numbers so that they read back the same; NaN is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        writer.writerow([_cell(float(value)) for value in row])
    return text.getvalue()


def _cell(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def to_columns(text: str, where: str) -> dict[str, Array]:
    """The columns of :func:`to_csv` as float64.

    Raises:
        FormatError: if the text is no such table; it names the row.
    """
    try:
        lines = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise FormatError("a CSV table", str(error), where) from None
    names, rows = (lines[0], lines[1:]) if lines else ([], [])
    if len(set(names)) != len(names):
        raise FormatError("a name of its own for each column", ", ".join(names)[:80], where)
    values = np.empty((len(rows), len(names)))
    for number, row in enumerate(rows):
        try:
            numbers = [float(cell) if cell else np.nan for cell in row]
        except ValueError:
            numbers = []
        if len(numbers) != len(names):
            found = ", ".join(row)[:80] or "nothing"
            raise FormatError(f"{len(names)} numbers", found, f"{where} row {number + 2}")
        values[number] = numbers
    return {name: values[:, column] for column, name in enumerate(names)}
