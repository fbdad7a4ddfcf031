"""How the engine's cost grows with batch size, width, depth, sequence length and threads."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from workloads import SOFTMAX, Workload, dense

sys.path.insert(0, str(Path(__file__).parents[2]))


def milliseconds(workload: Workload, threads: int | None = None) -> float:
    """The engine's best time per step over three epochs."""
    from peers import keras_epoch

    import studio.engine as names

    epoch = keras_epoch(workload, names, threads)
    best = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        epoch(lambda: None)
        best = min(best, time.perf_counter() - started)
    return best / workload.steps * 1000


def scale(console: Console) -> None:
    """Print one table per thing that grows."""

    def mlp(batch: int = 64, width: int = 256, depth: int = 2) -> Workload:
        return Workload("", (784,), (*dense(*[width] * depth), SOFTMAX), batch, 40 * batch)

    def rnn(length: int) -> Workload:
        return Workload("", (length, 16), (("rnn", "SimpleRNN", 64), SOFTMAX), 64, 1_280)

    rows = {
        "batch size (784-256-256-10)": [(n, mlp(batch=n)) for n in (8, 16, 32, 64, 128, 256, 512)],
        "width (784-w-w-10, b64)": [(n, mlp(width=n)) for n in (32, 64, 128, 256, 512, 1024)],
        "depth (784-256×d-10, b64)": [(n, mlp(depth=n)) for n in (1, 2, 4, 8, 16, 32)],
        "sequence length (SimpleRNN 64, b64)": [(n, rnn(n)) for n in (10, 20, 50, 100, 200, 400)],
    }
    for title, series in rows.items():
        table = Table(title=title)
        table.add_column("")
        cells = ["ms/step"]
        for size, workload in series:
            table.add_column(str(size), justify="right")
            cells.append(f"{milliseconds(workload):.3g}")
        table.add_row(*cells)
        console.print(table)
    from workloads import WORKLOADS

    from studio.engine.parallel import cores

    table = Table(title="threads (ms/step)")
    table.add_column("workload")
    counts = range(1, cores() + 1)
    for count in counts:
        table.add_column(str(count), justify="right")
    for workload in WORKLOADS:
        table.add_row(workload.name, *[f"{milliseconds(workload, n):.3g}" for n in counts])
    console.print(table)
