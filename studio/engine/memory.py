"""Freed memory is kept for the next arrays.

The C library gives large blocks back to the system as soon as they are freed, and new ones come
empty, page by page: taking them can last longer than computing what goes into them. glibc keeps
blocks up to the size of the largest one that it has seen freed, at most 32 MB (mallopt(3),
M_MMAP_THRESHOLD). So it is shown one; as nobody writes to it, it takes no memory. Other libraries
have rules of their own, and lose nothing by it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = (1 << 25) - (1 << 13)
"""Bytes, with room for what the library itself puts before a block."""


@cache
def keep_freed_memory() -> None:
    """Have memory that is freed from now on kept by this process, up to 64 MB of it."""
    np.empty(LARGEST, np.uint8)
