"""Windows as rows of a matrix (im2col), in pieces that stay in the processor's cache.

A convolution is a product of its windows with the kernel. Laid out for a whole batch the windows
take many times the memory of the input; piece by piece, they are still in the cache when the
product reads them, and copying them once more on the way back is cheaper than keeping them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from studio.engine.layers import windows as win
from studio.engine.layers.tiles import product
from studio.engine.plan import Do
from studio.engine.workspace import Array, Workspace

PIECE_BYTES = 3 << 19
"""Windows per piece, and twice what comes of them: most of a core's second-level cache."""
FEW_CHANNELS = 4
"""Up to this many channels, windows are laid out as columns: longer runs of memory to copy."""


def planes(name: str, shape: win.Sizes, dtype: Any, space: Workspace) -> Array:
    """Scratch memory for images; the channels are first in memory where they are few."""
    if 1 < shape[-1] <= FEW_CHANNELS:
        return np.moveaxis(space.array(name, (shape[-1], *shape[:-1]), dtype), 0, -1)
    return space.array(name, shape, dtype)


def windows_of(
    padded: Array,
    sizes: win.Sizes,
    strides: win.Sizes,
    dilations: win.Sizes,
    space: Workspace,
    do: Do,
) -> Array:
    """All windows as a view; of a copy with the channels first where they are few."""
    if 1 < padded.shape[-1] <= FEW_CHANNELS:
        copy = planes("planes", padded.shape, padded.dtype, space)
        do(np.copyto, copy, padded)
        padded = copy
    return win.windows(padded, sizes, strides, dilations)


def sample_groups(windows: Array, filters: int) -> Sequence[slice]:
    """As many samples at a time as stay in the cache with their windows, at least one."""
    return _groups(windows.shape, windows.itemsize, filters)


def pieces(windows: Array, filters: int) -> Sequence[tuple[slice, slice]]:
    """The windows cut by samples, and where one sample is too large by its first dimension.

    Args:
        windows: a view (batch, …positions, …window, channels).
        filters: how many numbers come of each window.
    """
    return _pieces(windows.shape, windows.itemsize, filters)


@win.cache
def _pieces(shape: win.Sizes, itemsize: int, filters: int) -> Sequence[tuple[slice, slice]]:
    samples, rows = shape[:2]
    row_bytes = _row_bytes(shape, itemsize, filters)
    if rows * row_bytes <= PIECE_BYTES:
        return [(group, slice(None)) for group in _groups(shape, itemsize, filters)]
    lines = win.batches(rows, PIECE_BYTES // row_bytes)
    return [(slice(n, n + 1), some) for n, some in itertools.product(range(samples), lines)]


@win.cache
def _groups(shape: win.Sizes, itemsize: int, filters: int) -> Sequence[slice]:
    return win.batches(shape[0], PIECE_BYTES // (shape[1] * _row_bytes(shape, itemsize, filters)))


def _row_bytes(shape: win.Sizes, itemsize: int, filters: int) -> int:
    """Of the windows along the first dimension, and twice of what comes of them."""
    rank = len(shape) // 2 - 1
    positions, window = shape[2 : 1 + rank], shape[1 + rank :]
    return itemsize * prod(positions) * (prod(window) + 2 * filters)


def batches(dz: Array, channels: int) -> Sequence[slice]:
    """Samples of ``dz`` that stay in the cache together with as many rows of ``channels``."""
    sample_bytes = dz[0].nbytes + dz.itemsize * dz[0, ..., 0].size * channels
    return win.batches(len(dz), PIECE_BYTES // sample_bytes)


def scatter(
    values: Array,
    kernel: Array,
    positions: win.Positions,
    into: Array,
    space: Workspace,
    do: Do,
) -> None:
    """Add the product with each number of the kernel to what its windows begin with.

    Args:
        values: (samples, …positions, inputs).
        kernel: (…window, inputs, outputs).
        positions: for each offset in a window, what it meets.
        into: (samples, …spatial, outputs).
        space: for the products.
        do: has the calls made.
    """
    rows = matrix(values, space, do)
    found = space.array("product", (len(rows), kernel.shape[-1]), into.dtype)
    for offset, where in positions:
        product(rows, kernel[offset], found, do, space)
        target = into[where]
        do(np.add, target, found.reshape(*values.shape[:-1], -1), out=target)


def without_gaps(array: Array, name: str, space: Workspace, do: Do) -> Array:
    """The array itself, or a copy of that name if there are gaps between its numbers."""
    if array.flags.c_contiguous:
        return array
    copy = space.array(name, array.shape, array.dtype)
    do(np.copyto, copy, array)
    return copy


def line_of(values: Array, shape: win.Sizes, space: Workspace, do: Do) -> Array:
    """One number per channel, (channels,), for a whole line of positions, (positions, channels).

    Added so, they are longer runs of memory.
    """
    line = space.array("line", shape, values.dtype)
    do(np.copyto, line, values)
    return line


def matrix(values: Array, space: Workspace, do: Do, name: str = "matrix") -> Array:
    """The values (…, channels) as rows without gaps; a copy, until the next one, if need be."""
    return without_gaps(values, name, space, do).reshape(-1, values.shape[-1])


def columns(windows: Array, rank: int, space: Workspace, do: Do) -> Array:
    """A matrix (batch · positions, window · channels) with the windows' numbers.

    Where it is a copy, it is in scratch memory that the next one overwrites.
    """
    rows = prod(windows.shape[: 1 + rank])
    if windows.flags.c_contiguous:
        return windows.reshape(rows, -1)
    if windows.shape[-1] > FEW_CHANNELS:
        copy = space.array("columns", windows.shape, windows.dtype)
        do(np.copyto, copy, windows)
        return copy.reshape(rows, -1)
    order = (*range(1 + rank, windows.ndim), *range(1 + rank))
    turned = windows.transpose(order)
    copy = space.array("columns", turned.shape, windows.dtype)
    do(np.copyto, copy, turned)
    return copy.reshape(-1, rows).T
