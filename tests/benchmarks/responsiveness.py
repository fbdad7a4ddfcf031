"""How late the window's event loop gets while it trains, and what the window costs in speed.

Run ``python tests/benchmarks/responsiveness.py [--seconds N] [--threads N]``. The real window
trains real data with its plots live; a timer that should fire every 16 ms tells how late it was.
The same project is trained for as long without a window, half of it before and half after, as a
machine's speed changes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.table import Table

from studio.project.edits import set_data, set_settings
from studio.project.values import Block, DataChoice, Project, Spec
from studio.training.control import Control
from studio.training.events import BatchEnd, Event, Started
from studio.training.run import train
from studio.ui.window import MainWindow

INTERVAL = 0.016


def project(data: str, batch: int, *layers: Spec) -> Project:
    """A stack on some data that trains for longer than anybody waits."""
    blocks = tuple(Block(number, layer) for number, layer in enumerate(layers, 1))
    found = set_data(Project(blocks), DataChoice(data))
    return set_settings(found, batch_size=batch, epochs=1_000_000)


def dense(units: int, activation: str = "relu") -> Spec:
    return Spec("Dense", {"units": units, "activation": activation})


def conv(filters: int) -> Spec:
    return Spec("Conv2D", {"filters": filters, "kernel_size": [3, 3], "activation": "relu"})


POOL, FLATTEN = Spec("MaxPooling2D"), Spec("Flatten")
CASES = {
    "tiny": project("iris", 16, dense(16), dense(3, "softmax")),
    "mlp b128": project(
        "mnist_5k", 128, FLATTEN,
        dense(512), Spec("Dropout", {"rate": 0.2}), dense(512), Spec("Dropout", {"rate": 0.2}),
        dense(10, "softmax"),
    ),
    "cnn b128": project(
        "mnist_5k", 128, conv(32), POOL, conv(64), POOL,
        FLATTEN, Spec("Dropout", {"rate": 0.5}), dense(10, "softmax"),
    ),
}  # fmt: skip


class Speed:
    """Batches per second between the first and the last event."""

    def __init__(self) -> None:
        self.first: tuple[float, int] | None = None
        self.last = (0.0, 0)

    def take(self, event: Event) -> None:
        if isinstance(event, Started):
            self.first = (time.perf_counter(), 0)
        elif isinstance(event, BatchEnd):
            self.last = (time.perf_counter(), event.steps)

    @property
    def rate(self) -> float:
        assert self.first is not None
        return (self.last[1] - self.first[1]) / (self.last[0] - self.first[0])


def in_window(case: Project, seconds: float, threads: int | None) -> tuple[float, np.ndarray]:
    """Batches per second, and how many ms late each tick of the timer was."""
    folder = tempfile.mkdtemp()
    settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(settings, case)
    window.resize(1366, 768)
    window.show()
    QApplication.processEvents()
    speed, late = Speed(), []
    window.runner.happened.connect(lambda events: [speed.take(event) for event in events])
    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    expected = [time.perf_counter() + INTERVAL]

    def tick() -> None:
        now = time.perf_counter()
        late.append(max(0.0, now - expected[0]) * 1000)
        expected[0] = now + INTERVAL

    timer.timeout.connect(tick)
    timer.start(int(INTERVAL * 1000))
    if threads is None:
        window.train()
    else:
        window.runner.start(case, threads)
    # Quitting the application would have the window ask what to do with the run.
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    window.runner.finish()
    timer.stop()
    window.document.history = type(window.document.history)(case)
    window.deleteLater()
    return speed.rate, np.array(late)


def without(case: Project, seconds: float, threads: int | None) -> float:
    """Batches per second without a window."""
    speed, control = Speed(), Control()
    until = time.perf_counter() + seconds

    def emit(event: Event) -> None:
        speed.take(event)
        if time.perf_counter() > until:
            control.stop()

    train(case, emit, control, threads)
    return speed.rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--threads", type=int, help="that train; all processors if not given")
    options = parser.parse_args()
    application = QApplication([])
    application.setStyle("Fusion")
    table = Table(title=f"{options.seconds:g} s each, lateness of a 16 ms timer in ms")
    for heading in ("", "median", "p99", "worst", "batches/s", "without window", "share"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, case in CASES.items():
        before = without(case, options.seconds / 2, options.threads)
        rate, late = in_window(case, options.seconds, options.threads)
        alone = (before + without(case, options.seconds / 2, options.threads)) / 2
        table.add_row(
            name, f"{np.median(late):.1f}", f"{np.percentile(late, 99):.1f}", f"{late.max():.1f}",
            f"{rate:,.0f}", f"{alone:,.0f}", f"{rate / alone:.0%}",
        )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
