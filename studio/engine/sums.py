"""Sums of rows, of columns and of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from studio.engine.plan import FEW, Array, Do
from studio.engine.workspace import Workspace

FEW_COLUMNS = 4
"""So many columns, and an eighth of the rows more, are sooner gone through than the rows."""

NARROW = 16
"""Up to so many columns, sums are as quickly found once for each of them."""


def add_rows(rows: Array, out: Array, do: Do) -> None:
    """Have the sum of a matrix's rows found: (n, k) → (k,). As a product, which is faster."""
    do(_filled(1, len(rows), rows.dtype)[:, 0].dot, rows, out)


def add_sum_of_rows(rows: Array, total: Array, space: Workspace, do: Do) -> None:
    """Have the sum of a matrix's rows, (n, k), added to a total, (k,)."""
    found = space.array("sum of rows", total.shape, total.dtype)
    add_rows(rows, found, do)
    do(np.add, total, found, out=total)


def add_columns(rows: Array, out: Array, do: Do, factor: float = 1) -> None:
    """Have the sum of each row found, times a factor: (…, k) → (…, 1). As a product too."""
    count = rows.shape[-1]
    do(rows.reshape(-1, count).dot, _filled(factor, count, rows.dtype), out.reshape(-1, 1))


def sum_columns(rows: Array, name: str, space: Workspace, do: Do, factor: float = 1) -> Array:
    """Have the sum of each row found, times a factor: (…, k) → (…, 1), in memory of that name.

    Of few numbers (…, k), so that whatever is done with all of a row needs it no further repeated.
    """
    columns = rows.shape[-1]
    width = columns if columns <= NARROW and rows.size <= FEW else 1
    sums = space.array(name, (*rows.shape[:-1], width), rows.dtype)
    repeated = _filled(factor, columns, rows.dtype, width)
    do(rows.reshape(-1, columns).dot, repeated, sums.reshape(-1, width))
    return sums


def average_columns(rows: Array, out: Array, do: Do) -> None:
    """Have the mean of each row found: (…, k) → (…, 1)."""
    add_columns(rows, out, do, 1 / rows.shape[-1])


def add_all(numbers: Array, out: Array, do: Do, factor: float = 1) -> None:
    """Have the sum of all numbers found, times a factor: (…) → (1,)."""
    if numbers.size <= FEW:
        add_columns(numbers.reshape(1, -1), out, do, factor)
        return
    do(np.add.reduce, numbers, None, None, out.reshape(()))
    do(np.multiply, out, factor, out=out)


def fold(function: np.ufunc, rows: Array, out: Array, do: Do) -> None:
    """Have a function of two applied from one number of each row to the next: (…, k) → (…, 1)."""
    first, *others = rows.reshape(-1, rows.shape[-1]).T
    if not others or len(others) > FEW_COLUMNS + len(first) // 8:
        do(function.reduce, rows, -1, None, out, True)
        return
    line = out.reshape(-1)
    for column in others:
        do(function, first, column, out=line)
        first = line


def add_up(arrays: Sequence[Array], out: Array, do: Do) -> None:
    """Have arrays added up in their order."""
    first, *others = arrays
    if not others:
        do(np.copyto, out, first)
    for other in others:
        do(np.add, first, other, out=out)
        first = out


@lru_cache(maxsize=32)
def _filled(number: float, rows: int, dtype: np.dtype[Any], columns: int = 1) -> Array:
    filled = np.full((rows, columns), number, dtype)
    filled.flags.writeable = False
    return filled
