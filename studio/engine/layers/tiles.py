"""Matrix products in tiles that BLAS multiplies as they lie.

Before it multiplies, OpenBLAS copies its factors into an order of its own. For AVX-512 it has
kernels that do without, up to a million multiplications. Cut into tiles of that size, a product
takes up to a third less time; all tiles are one call. The order of its sums depends on the shapes
alone, and on how far rows lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from studio.engine.blas import is_wide, multiplies_in_place
from studio.engine.memory import empty
from studio.engine.plan import Do, at_once
from studio.engine.sums import add_up
from studio.engine.workspace import Array, Workspace

MOST = 1_000_000
"""How many multiplications such a kernel does at most."""
FEWEST = 100_000
"""How many multiplications a product has at most that is never cut."""
MOST_TURNED = 1200
"""How many numbers its output has at most where the second factor is turned around in memory."""
LEAST, LEAST_TURNED, LEAST_TURNED_THIN = 32, 192, 128
"""How many numbers a sum has at least; the last two where the second factor is turned around."""
THIN = 32
"""How many columns a thin product has, or rows where the second factor is turned around."""
SHORT, LONG = 64, 340
"""How many numbers a short sum has, as in the gradient of a kernel from a small batch, whose
factors are thin; and a long one."""
GRAIN = 16
"""What the sides of tiles are multiples of: the numbers of a vector register, and of a line of the
cache."""
HIGHEST, HIGHEST_WIDE = 128, 48
"""How many rows a tile has at most: higher ones don't stay in the nearest cache. The second, on
processors that compute fast, where the first factor is turned around and sums are not short."""
BROAD = 512
"""From so many numbers apart on, hardly a row of the second factor is fetched ahead of its use:
then a tile has no more rows of it."""
PAGE, MOST_PAGES = 1024, 512
"""From so many numbers apart on, each row of the second factor lies on memory pages of its own; so
many pages at a time are quick to find."""
SHORTEST = 100
"""How many numbers a part of a sum has at least: shorter ones are not worth adding up."""
MOST_SUMMED, MOST_SUMMED_TURNED = 1 << 15, 1 << 18
"""How many sums may be made in parts: more would leave the cache. Where the first factor is turned
around, that costs less than to read both from afar, as long sums have to; but for processors that
compute fast."""


def product(
    a: Array, b: Array, out: Array, do: Do = at_once, space: Workspace | None = None
) -> Array:
    """out = a · b.

    Args:
        a: (rows, inner), in either order of memory.
        b: (inner, columns), likewise.
        out: (rows, columns), with each row in one run of memory.
        do: has the calls made.
        space: for sums that are made in parts.
    """
    rows, inner = a.shape
    columns = b.shape[1]
    small, tile = a.size * columns <= FEWEST, None
    if not small and _may_cut(out):
        apart = max(b.strides) // b.itemsize
        tile = _tile(rows, inner, columns, apart, is_turned(a), is_turned(b), is_wide())
    if tile is None:
        # To find out about its arguments takes matmul longer than dot, and than small products.
        if small and out.flags.c_contiguous:
            do(a.dot, b, out)
        else:
            do(np.matmul, a, b, out=out)
        return out
    height, width, length = tile
    if length == inner:
        return _in_tiles(a, b, out, height, width, do, space)
    cuts = range(0, inner, length)
    shape = (len(cuts), rows, columns)
    name = f"sums of {inner}"
    sums = empty(shape, out.dtype) if space is None else space.array(name, shape, out.dtype)
    for part, start in zip(sums, cuts, strict=True):
        some = slice(start, start + length)
        _in_tiles(a[:, some], b[some], part, height, width, do, space)
    add_up([*sums], out, do)
    return out


def in_rows(a: Array, out: Array) -> tuple[Array, Array]:
    """Both so that ``np.matmul(a, b, out=out)`` works in tiles, for one b after another.

    Args:
        a: (rows, inner); becomes (tiles, height, inner) where its rows fall into tiles.
        out: (…, rows, columns), without gaps; becomes (…, tiles, height, columns) there.
    """
    rows, inner = a.shape
    columns = out.shape[-1]
    if _may_cut(out) and rows * inner * columns > MOST:
        for height in range(rows // 2 // GRAIN * GRAIN, 0, -GRAIN):
            if rows % height == 0 and height * inner * columns <= MOST:
                return (
                    a.reshape(-1, height, inner),
                    out.reshape(*out.shape[:-2], -1, height, columns),
                )
    return a, out


def _may_cut(out: Array) -> bool:
    return out.dtype == np.float32 and multiplies_in_place()


def _in_tiles(
    a: Array, b: Array, out: Array, height: int, width: int, do: Do, space: Workspace | None
) -> Array:
    rows, inner = a.shape
    columns = b.shape[1]
    down, across = rows // height, columns // width
    last_row, last_column = down * height, across * width
    do(
        np.matmul,
        a[:last_row].reshape(down, 1, height, inner),
        b[:, :last_column].reshape(inner, across, width).swapaxes(0, 1),
        out=out[:last_row, :last_column].reshape(down, height, across, width).swapaxes(1, 2),
    )
    if last_column < columns:
        product(a[:last_row], b[:, last_column:], out[:last_row, last_column:], do, space)
    if last_row < rows:
        product(a[last_row:], b, out[last_row:], do, space)
    return out


def is_turned(matrix: Array) -> bool:
    """Whether its columns are runs of memory, not its rows."""
    return matrix.strides[0] < matrix.strides[1]


@lru_cache(maxsize=1024)
def _tile(
    rows: int, inner: int, columns: int, apart: int, a_turned: bool, b_turned: bool, wide: bool
) -> tuple[int, int, int] | None:
    """Rows and columns of a tile and the length of its sums; None where nothing is to be cut.

    The second factor's rows, or columns where it is turned around, lie ``apart`` numbers from each
    other.
    """
    if rows * columns <= _area(inner, b_turned):
        return None
    if not _worth(rows, inner, columns, apart, b_turned):
        return None
    thin = (rows if b_turned else min(rows, columns)) <= THIN
    from_afar = a_turned and inner > SHORT and not thin
    fewest, highest, most = 1, HIGHEST, MOST_SUMMED
    if wide:
        if not thin and not _worth_where_wide(rows, inner, columns, apart, a_turned, b_turned):
            return None
        if apart >= BROAD and not b_turned:
            fewest = -(-inner // BROAD)
        elif from_afar:
            fewest, highest = -(-inner // LONG), HIGHEST_WIDE
    elif from_afar and rows * columns <= MOST_SUMMED_TURNED:
        fewest, most = -(-inner // LONG), MOST_SUMMED_TURNED
    parts = inner // SHORTEST if rows * columns <= most else 1
    for count in range(fewest, max(1, parts) + 1):
        length = -(-inner // count)
        area = _area(length, b_turned)
        if rows * columns <= area:
            return rows, columns, length
        for lowest, width in _sides(columns, a_turned, b_turned):
            height = _height(rows, min(rows, area // width, highest), a_turned)
            if columns >= width and height >= lowest:
                return height, width, length
    return None


def _worth(rows: int, inner: int, columns: int, apart: int, b_turned: bool) -> bool:
    if b_turned:
        return inner >= (LEAST_TURNED_THIN if rows <= THIN else LEAST_TURNED)
    if columns <= THIN:
        return True
    return inner >= LEAST and (apart < PAGE or inner < MOST_PAGES)


def _worth_where_wide(
    rows: int, inner: int, columns: int, apart: int, a_turned: bool, b_turned: bool
) -> bool:
    """Whether tiles that are not thin are worth it on processors that compute fast.

    The second factor must come as fast: in whole lines of the cache, and ahead of its use.
    """
    if apart % GRAIN:
        return False
    if a_turned:
        return inner <= SHORT or rows * columns <= MOST_SUMMED
    return b_turned or apart < BROAD or inner <= BROAD


def _height(rows: int, most: int, a_turned: bool) -> int:
    """How many rows a tile gets: if possible so many that none remain for another call."""
    step = GRAIN if a_turned else 2
    for height in range(most // step * step, most // 2, -step):
        if rows % height == 0:
            return height
    return most // GRAIN * GRAIN


def _area(length: int, b_turned: bool) -> int:
    """How many sums of that length a tile may have."""
    if not b_turned:
        return MOST // length
    return min(MOST // length, MOST_TURNED)


def _sides(columns: int, a_turned: bool, b_turned: bool) -> Sequence[tuple[int, int]]:
    """The fewest rows, and columns, of tiles that were found to be fast, the fastest first."""
    if b_turned:
        return (16, 64), (32, 32)
    if columns <= THIN:
        return ((32, columns),)
    return ((32, 64), (32, 32)) if a_turned else ((16, 64), (32, 32))
