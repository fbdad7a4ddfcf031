"""Numbers too small for full precision are taken as zero while training.

Processors handle them (below about 1e-38 in float32) a hundred times slower than others; and the
averages of an optimizer fill with them wherever a gradient stays zero. TensorFlow and JAX flush
them too. The switch is a bit of the thread's floating-point state; the C library gives access.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache

import numpy as np

Switch = Callable[[bool], bool]
FLUSH_AND_ZERO = 0x8040
"""The bits FTZ and DAZ of x86's MXCSR register."""


@contextmanager
def denormals_are_zero() -> Generator[None]:
    """Flush denormal numbers in this thread while inside, where the platform allows."""
    switch = _switch()
    if switch is None:
        yield
        return
    before = switch(True)
    try:
        yield
    finally:
        switch(before)


@cache
def _switch() -> Switch | None:
    """A function that sets the state and returns the one before, or None where unknown."""
    for dtype in (np.float32, np.float64):
        # NumPy looks at denormals once, and would warn if they were flushed by then.
        _ = np.finfo(dtype).smallest_subnormal
    try:
        if platform.machine().lower() not in ("x86_64", "amd64"):
            return None
        return _windows() if sys.platform == "win32" else _glibc()
    except (OSError, AttributeError):
        return None


def _glibc() -> Switch | None:
    """By ``fegetenv`` and ``fesetenv``: 28 bytes of x87 state, then MXCSR."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL("libm.so.6")

    def switch(on: bool) -> bool:
        state = (ctypes.c_uint32 * 8)()
        library.fegetenv(state)
        before = bool(state[7] & FLUSH_AND_ZERO)
        state[7] = state[7] | FLUSH_AND_ZERO if on else state[7] & ~FLUSH_AND_ZERO
        library.fesetenv(state)
        return before

    return switch


def _windows() -> Switch:
    """By ``_controlfp_s`` of the universal C runtime."""
    library = ctypes.CDLL("ucrtbase")
    mask, flush = 0x03000000, 0x01000000

    def switch(on: bool) -> bool:
        now = ctypes.c_uint()
        library._controlfp_s(ctypes.byref(now), 0, 0)
        before = now.value & mask == flush
        library._controlfp_s(ctypes.byref(now), flush if on else 0, mask)
        return before

    return switch
