"""What the BLAS in NumPy's wheel offers beyond NumPy: its threads, and sums in one pass."""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from studio.engine.plan import Array, Do, at_once

ONE_PASS = 1 << 15
"""From so many numbers on, one pass by BLAS takes less time than the call of it costs."""

IN_PLACE = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""The processors, as OpenBLAS names them, for which it has kernels that don't copy matrices."""
WIDE = ("SkylakeX", "SapphireRapids")
"""Those of them that, where they are Intel's, mostly have two units for these multiplications:
unless a matrix is thin, they may compute faster than they read what has not been copied together.
"""

_depth = [0, 0]
_depth_lock = threading.Lock()


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Hold BLAS to one thread per product while inside; calls may nest.

    That keeps the order of every sum fixed.
    """
    read, write = (_function(f"openblas_{way}_num_threads") for way in ("get", "set"))
    if read is None or write is None:
        yield
        return
    with _depth_lock:
        _depth[0] += 1
        if _depth[0] == 1:
            _depth[1] = read()
            write(1)
    try:
        yield
    finally:
        with _depth_lock:
            _depth[0] -= 1
            if _depth[0] == 0:
                write(_depth[1])


def multiplies_in_place() -> bool:
    """Whether small matrices are multiplied as they lie, without a copy in another order."""
    return _core() in IN_PLACE


def is_wide() -> bool:
    """Whether multiplying them as they lie is not faster wherever it can be done."""
    return _core() in WIDE and "AuthenticAMD" not in _maker()


@cache
def _maker() -> str:
    """A text that names the processor's maker; OpenBLAS calls some of AMD's by Intel's names."""
    try:
        with Path("/proc/cpuinfo").open() as lines:
            return lines.read(1000)
    except OSError:
        return os.environ.get("PROCESSOR_IDENTIFIER", "")


@cache
def _core() -> str:
    name = _function("openblas_get_corename")
    if name is None:
        return ""
    name.restype = ctypes.c_char_p
    return name().decode()


def mix(a: float | Array, x: Array, b: float, y: Array, spare: Array, do: Do = at_once) -> None:
    """y = a · x + b · y, for arrays of one shape without gaps.

    Args:
        a: the factor of ``x``; an array of no dimension and the same type where it changes.
        x: of the size and type of ``y``.
        b: the factor of ``y``.
        y: is overwritten.
        spare: as large; may be overwritten, and may be ``x``.
        do: has it done.
    """
    axpby = _axpby(y.dtype) if y.size >= ONE_PASS else None
    if axpby is not None:
        number = ctypes.c_float if y.dtype == np.float32 else ctypes.c_double
        factor = number.from_buffer(a.data) if isinstance(a, np.ndarray) else number(a)
        do(axpby, y.size, factor, _pointer(x), 1, number(b), _pointer(y), 1)
        return
    do(np.multiply, x, np.asarray(a, y.dtype), out=spare)
    if b != 1:
        do(np.multiply, y, np.asarray(b, y.dtype), out=y)
    do(np.add, y, spare, out=y)


def _pointer(array: Array) -> ctypes.c_void_p:
    """To its first number; the array lives as long."""
    return array.ctypes.data_as(ctypes.c_void_p)


@cache
def _axpby(dtype: np.dtype[Any]) -> Callable[..., None] | None:
    letter, number = ("s", ctypes.c_float) if dtype == np.float32 else ("d", ctypes.c_double)
    function, pointer = _function(f"cblas_{letter}axpby"), ctypes.c_void_p
    if function is not None:
        size = ctypes.c_int64 if function.__name__.endswith("64_") else ctypes.c_int
        function.argtypes = [size, number, pointer, size, number, pointer, size]
        function.restype = None
    return function


@cache
def _function(name: str) -> Any:
    """A function of the OpenBLAS in NumPy's wheel, or None where there is none."""
    for prefix, suffix in itertools.product(("scipy_", ""), ("64_", "")):
        found = getattr(_library(), f"{prefix}{name}{suffix}", None)
        if found is not None:
            return found
    return None


@cache
def _library() -> ctypes.CDLL | None:
    package = Path(np.__file__).parent
    folders: Sequence[Path] = (
        package.parent / "numpy.libs",
        package / ".dylibs",
        package / ".libs",
    )
    for path in itertools.chain.from_iterable(folder.glob("*openblas*") for folder in folders):
        try:
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None
