"""Windows as rows of a matrix (im2col), in pieces that stay in the processor's cache.

A convolution is a product of its windows with the kernel. Laid out for a whole batch the windows
take many times the memory of the input; piece by piece, they are still in the cache when the
product reads them, and copying them once more on the way back is cheaper than keeping them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod

import numpy as np

from studio.engine.layers import windows as win
from studio.engine.workspace import Array, Workspace

PIECE_BYTES = 1 << 20
"""Windows per piece: about half of a core's second-level cache."""
SMALL_PRODUCT = 1_000_000
"""Up to this many multiplications OpenBLAS has a faster kernel, which skips packing."""
FEW_CHANNELS = 4
"""Up to this many channels, windows are laid out as columns: longer runs of memory to copy."""


def pieces(windows: Array, rank: int) -> Iterator[tuple[slice, slice]]:
    """The windows cut by samples, and where one sample is too large by its first dimension.

    Args:
        windows: a view (batch, …positions, …window, channels).
        rank: how many spatial dimensions there are.
    """
    samples, rows = windows.shape[:2]
    row_bytes = windows.itemsize * prod(windows.shape[2:])
    if rows * row_bytes <= PIECE_BYTES:
        size = max(1, PIECE_BYTES // max(1, rows * row_bytes))
        for start in range(0, samples, size):
            yield slice(start, start + size), slice(None)
        return
    height = max(1, PIECE_BYTES // row_bytes)
    for sample in range(samples):
        for start in range(0, rows, height):
            yield slice(sample, sample + 1), slice(start, start + height)


def batches(dz: Array, channels: int) -> Iterator[slice]:
    """Samples of ``dz`` that stay in the cache together with as many rows of ``channels``."""
    sample_bytes = dz[0].nbytes + dz.itemsize * dz[0, ..., 0].size * channels
    return win.batches(len(dz), PIECE_BYTES // sample_bytes)


def columns(windows: Array, rank: int, space: Workspace, name: str) -> Array:
    """A matrix (batch · positions, window · channels) with the windows' numbers."""
    rows = prod(windows.shape[: 1 + rank])
    width = prod(windows.shape[1 + rank :])
    if windows.flags.c_contiguous:
        return windows.reshape(rows, width)
    if windows.shape[-1] > FEW_CHANNELS:
        matrix = space.array(name, (rows, width), windows.dtype)
        np.copyto(matrix.reshape(windows.shape), windows)
        return matrix
    order = (*range(1 + rank, windows.ndim), *range(1 + rank))
    turned = windows.transpose(order)
    matrix = space.array(name, (width, rows), windows.dtype)
    np.copyto(matrix.reshape(turned.shape), turned)
    return matrix.T


def thin_product(a: Array, b: Array, out: Array) -> Array:
    """out = a · b, a thin product in pieces that suit BLAS.

    Args:
        a: (rows, width), or such a matrix transposed in memory.
        b: (width, few columns).
        out: (rows, few columns), contiguous.
    """
    rows, width = a.shape
    across = b.shape[1]
    if across > 32 or rows * width * across <= SMALL_PRODUCT:
        return np.matmul(a, b, out=out)
    part = _divisor(rows, SMALL_PRODUCT // (width * across))
    if part < 32:
        return np.matmul(a, b, out=out)
    np.matmul(_cut(a, part), b, out=out.reshape(-1, part, across))
    return out


def _cut(a: Array, part: int) -> Array:
    """(rows, width) as (rows / part, part, width), without a copy in either memory order."""
    width = a.shape[1]
    if a.flags.c_contiguous:
        return a.reshape(-1, part, width)
    return a.T.reshape(width, -1, part).transpose(1, 2, 0)


@cache
def _divisor(number: int, limit: int) -> int:
    """The largest divisor of ``number`` that is at most ``limit``."""
    for candidate in range(min(number, limit), 0, -1):
        if number % candidate == 0:
            return candidate
    return 1
