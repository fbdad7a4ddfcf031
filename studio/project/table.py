"""Columns of numbers as CSV, the form in which curves are kept and handed on."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Mapping

import numpy as np

from studio.engine.errors import FormatError
from studio.engine.workspace import Array

HEADER = 1 << 16
"""How many characters the names of the columns have at most."""
NUMBERS = 1 << 23
"""How many numbers a table has at most: a million epochs of eight."""


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
        FormatError: if the text is no such table, or a larger one than any run makes; it names the
            row.
    """
    lines = io.StringIO(text[:HEADER])
    try:
        names = next(csv.reader(lines, strict=True), list[str]())
    except csv.Error as error:
        raise FormatError("a CSV table", str(error), where) from None
    start = lines.tell()
    if start == HEADER:
        raise FormatError(f"names of columns in {HEADER} characters", "more", where)
    if len(set(names)) != len(names):
        raise FormatError("a name of its own for each column", ", ".join(names), where)
    if text.count("\n", start) * len(names) > NUMBERS:
        raise FormatError(f"at most {NUMBERS} numbers", "more", where)
    values = array("d")
    lines = io.StringIO(text)
    lines.seek(start)
    for number, line in enumerate(lines, 2):
        try:
            # Row by row, as many of them would take many times the memory of the text.
            numbers = _numbers(line, len(names))
        except ValueError:
            found = line.strip() or "nothing"
            raise FormatError(f"{len(names)} numbers", found, f"{where} row {number}") from None
        values.extend(numbers)
    rows = np.array(values).reshape(-1, len(names) or 1)
    return {name: rows[:, column] for column, name in enumerate(names)}


def _numbers(line: str, count: int) -> list[float]:
    """A row of a table; ValueError where it is none."""
    if line.count(",") + 1 != count or not line.strip():
        raise ValueError
    return [float(cell) if cell else np.nan for cell in line.rstrip("\r\n").split(",")]
