"""Matrix products in tiles against NumPy's own, by turns on one BLAS thread.

Run ``python tests/benchmarks/products.py``. Where BLAS has no kernels for tiles the two are one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from studio.engine.blas import multiplies_in_place, one_blas_thread
from studio.engine.layers.tiles import product
from studio.engine.memory import empty
from studio.engine.workspace import Array

ROUNDS = 100
DENSE = [(32, 784, 256), (128, 784, 512), (128, 512, 512), (32, 2304, 512)]
"""Batch, inputs and units."""
CONVOLUTIONS = [(1024, 27, 32), (900, 288, 32), (900, 288, 64), (507, 576, 64)]
"""Positions, numbers in a window and filters."""


def drawn(size: tuple[int, int], random: np.random.Generator) -> Array:
    """Random numbers, placed in memory as the engine places them."""
    found = empty(size, np.float32)
    found[:] = random.normal(size=size)
    return found


def seconds(a: Array, b: Array) -> tuple[float, float]:
    """The best times of NumPy and of tiles."""
    out = empty((len(a), b.shape[1]), np.float32)
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        for way, multiply in enumerate(
            (lambda: np.matmul(a, b, out=out), lambda: product(a, b, out))
        ):
            started = time.perf_counter()
            multiply()
            best[way] = min(best[way], time.perf_counter() - started)
    return best[0], best[1]


def main() -> None:
    """Print a table: the products of a layer on the way forward and back."""
    table = Table(title=f"µs per product (tiles: {'yes' if multiplies_in_place() else 'no'})")
    table.add_column("layer")
    for name in ("output", "gradient of the kernel", "gradient of the input"):
        for way in ("NumPy", "tiles", "×"):
            table.add_column(f"{name}\n{way}", justify="right")
    random = np.random.default_rng(0)
    shapes = [("Dense", shape) for shape in DENSE] + [("Conv2D", shape) for shape in CONVOLUTIONS]
    with one_blas_thread():
        for layer, (rows, inner, columns) in shapes:
            x, kernel, dz = (
                drawn(size, random) for size in ((rows, inner), (inner, columns), (rows, columns))
            )
            cells: list[str] = []
            for a, b in ((x, kernel), (x.T, dz), (dz, kernel.T)):
                whole, tiles = (1e6 * value for value in seconds(a, b))
                cells += [f"{whole:.0f}", f"{tiles:.0f}", f"{whole / tiles:.2f}"]
            table.add_row(f"{layer} {rows}×{inner}×{columns}", *cells)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
