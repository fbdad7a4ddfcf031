"""Where arrays lie in memory, and that freed memory is kept for the next ones.

Processors read vectors of up to 64 bytes at a time, and faster where these don't lie across two
lines of the cache, which have as many. NumPy's arrays begin at any multiple of 16.

The C library gives large blocks back to the system as soon as they are freed, and new ones come
empty, page by page: taking them can last longer than computing what goes into them. glibc keeps
blocks up to the size of the largest one that it has seen freed, at most 32 MB (mallopt(3),
M_MMAP_THRESHOLD). So it is shown one; as nobody writes to it, it takes no memory. Other libraries
have rules of their own, and lose nothing by it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from studio.engine.plan import Array

LINE = 64
"""Bytes of a line of the cache."""

LARGEST = (1 << 25) - (1 << 13)
"""Bytes, with room for what the library itself puts before a block."""


@cache
def keep_freed_memory() -> None:
    """Have memory that is freed from now on kept by this process, up to 64 MB of it."""
    np.empty(LARGEST, np.uint8)


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array that begins with a line of the cache."""
    return _aligned(np.empty, shape, np.dtype(dtype))


def zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """The same of zeros; memory that nobody writes to is not taken."""
    return _aligned(np.zeros, shape, np.dtype(dtype))


def _aligned(
    make: Callable[[int, type[np.uint8]], Array], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    size = prod(shape) * dtype.itemsize
    memory = make(size + LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % LINE
    return memory[start : start + size].view(dtype).reshape(shape)
