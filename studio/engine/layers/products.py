"""Matrix products, the large ones cut into parts that threads share.

A product keeps its order of sums when its output is cut, and each part is still large enough for
BLAS to be at its best: cutting the batch instead would give each thread all of the kernel to read,
and a gradient of its own to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence

from studio.engine.layers.tiles import is_turned, product
from studio.engine.plan import Calls, Do, at_once, meet
from studio.engine.workspace import Array, Task, Threads

PART = 1.5e7
"""How many multiplications a part has at least: handing it over costs a thread 50 µs."""
MOST_PARTS = 8
TURNED_WIDTH = 3
"""A product of which each part reads all of what lies turned around in memory takes longer: unless
it has so many times as many columns as rows, it is cut along its rows."""
TILE = 16
"""What the sizes of parts are multiples of, as they are in BLAS."""

Product = tuple[Array, Array, Array]
"""Two matrices and where to write their product."""


def parts(multiplications: float) -> int:
    """Into how many parts a product is cut: a power of two, so that they suit the threads."""
    count = 1
    while 2 * count * PART <= multiplications and count < MOST_PARTS:
        count *= 2
    return count


def multiply(
    *products: Product, later: Sequence[Product] = (), threads: Threads, do: Do = at_once
) -> None:
    """Compute products that don't depend on each other.

    Args:
        products: those that are needed next.
        later: those that are not needed before the end of the step, nor their factors changed.
        threads: who shares the work.
        do: has the calls made.
    """
    tasks, rest = _tasks(products, do), _tasks(later, do)
    if tasks or rest:
        meet(do, threads, tasks, rest)


def _tasks(products: Sequence[Product], do: Do) -> list[Task]:
    """The parts of large products; small ones are computed."""
    tasks: list[Task] = []
    for a, b, out in products:
        count = parts(out.size * len(b))
        if count == 1 and not tasks:
            product(a, b, out, do)
        else:
            tasks += [_laid(*part) for part in _cut(a, b, out, count)]
    return tasks


def _laid(a: Array, b: Array, out: Array) -> Task:
    calls = Calls()
    product(a, b, out, calls)
    return calls.make


def _cut(a: Array, b: Array, out: Array, count: int) -> list[Product]:
    """The product's parts, mostly cut along the longer side of the output."""
    rows, columns = out.shape
    by_rows = rows * (TURNED_WIDTH if is_turned(a) else 1) >= columns
    length = rows if by_rows else columns
    size = -(-length // (count * TILE)) * TILE
    cuts = [slice(start, start + size) for start in range(0, length, size)]
    if by_rows:
        return [(a[cut], b, out[cut]) for cut in cuts]
    return [(a, b[:, cut], out[:, cut]) for cut in cuts]
