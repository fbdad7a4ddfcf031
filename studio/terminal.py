"""Training and checking with results on the terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from studio.engine.errors import StudioError, one_line
from studio.engine.saving import safetensors
from studio.engine.saving.atomic import target_of, write_atomically
from studio.project.checks import Row, check
from studio.project.document import to_text
from studio.project.file import HISTORY, REPORT, WEIGHTS
from studio.project.table import to_csv
from studio.project.trained import Trained
from studio.project.values import Project
from studio.training.control import Control
from studio.training.events import BatchEnd, EpochEnd, Event, Failed, Started
from studio.training.run import train

RESULTS = (WEIGHTS, HISTORY, REPORT)


def train_project(project: Project, folder: Path, threads: int | None = None) -> int:
    """Train, write the results into a folder, and show them; the exit code.

    Args:
        project: what to train.
        folder: where the results go.
        threads: how many threads compute; all processors where not given.

    Raises:
        StudioError: if a file cannot be written; where that shows before, nothing is trained.
        OSError: if nothing more could be shown; what was reached until then is written.
    """
    _try_folder(folder)
    console = _Console()
    control = Control()
    shown = _Bar(console) if console.is_terminal else _Lines(console)
    unshown: OSError | None = None

    def take(event: Event) -> None:
        nonlocal unshown
        try:
            shown.take(event)
        except OSError as error:
            # Nobody reads on, or the disk is full: the run ends as by Ctrl+C.
            unshown = error
            console.quiet = True
            control.stop()

    with shown.live(), _stops(control, console):
        trained = train(project, take, control, threads)
    if shown.error is not None:
        errors = _Console(stderr=True)
        errors.print(f"studio train: {shown.error}", soft_wrap=True, highlight=False)
        return 1
    if trained is None:
        console.print("Stopped before the first batch: there is nothing to keep.")
        return 1
    written = write_run(trained, folder)
    _results(console, trained)
    for path in written:
        console.print(str(path), soft_wrap=True, highlight=False)
    if unshown is not None:
        raise unshown
    return 0


class _Console(Console):
    """Shows texts as they are, and lets its user decide what to do where nobody reads on."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _try_folder(folder: Path) -> None:
    """Find out before training whether its results can be written; no new folder is left.

    Raises:
        StudioError: if not.
    """
    there = os.path.isdir(folder)
    _make(folder)
    for name in RESULTS:
        target_of(folder / name)
    if not there:
        folder.rmdir()


def _make(folder: Path) -> None:
    """Make the folder where it is not there, and a file in it that is gone again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        found = error.strerror or str(error)
        advice = "Choose another by --out."
        raise StudioError("a folder to write to", found, str(folder), advice) from None


def write_run(trained: Trained, folder: Path) -> tuple[Path, ...]:
    """Write weights, history and report into a folder, which is made where it is not there.

    Raises:
        StudioError: if that does not work.
    """
    contents = {
        WEIGHTS: safetensors.dump(trained.weights),
        HISTORY: to_csv(trained.history).encode(),
        REPORT: to_text(trained.report).encode(),
    }
    _make(folder)
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return tuple(folder / name for name in contents)


def print_check(project: Project) -> int:
    """Print the table of layers and what is wrong; 1 if the project cannot be trained, else 0."""
    console = _Console()
    report = check(project)
    table = Table(box=None, pad_edge=False)
    for heading in ("#", "Block", "Settings", "Output", "Params", ""):
        table.add_column(heading, justify="right" if heading in "#Params" and heading else "left")
    for number, row in enumerate(report.rows, 1):
        count = "?" if row.params is None else f"{row.params:,}"
        mark = Text("" if row.problem is None else "problem", style="red")
        table.add_row(str(number), _name(row), row.settings, row.shape_text, count, mark)
    console.print(table)
    console.print(f"{report.total_params:,} parameters", highlight=False)
    names = {
        row.block.id: f"Block {number} ({_name(row)})" for number, row in enumerate(report.rows, 1)
    }
    for found in report.problems:
        where = found.where
        place = names[where] if isinstance(where, int) else where.capitalize()
        line = f"{found.severity}: {place}: {found.message}"
        console.print(line, soft_wrap=True, highlight=False)
    return 0 if report.ok else 1


def _name(row: Row) -> str:
    return one_line(row.block.layer.class_name, 40)


class _Shown:
    """Keeps what all ways of showing need."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: Started | None = None
        self.error: Any = None

    def take(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Started):
            self.started = event
            self.start(event)
        elif isinstance(event, Failed):
            self.error = event.error
        elif isinstance(event, EpochEnd):
            self.epoch(event)
        elif isinstance(event, BatchEnd):
            self.batch(event)

    def start(self, event: Started) -> None:
        """Training begins."""

    def batch(self, event: BatchEnd) -> None:
        """A batch is done."""

    def epoch(self, event: EpochEnd) -> None:
        """An epoch is done: a line of its figures."""
        epochs = self.started.epochs if self.started else event.epoch
        figures = "  ".join(f"{name} {value:.4g}" for name, value in event.figures.items())
        line = f"epoch {event.epoch}/{epochs}  {figures}  {event.seconds:.1f} s"
        self.console.print(line, highlight=False, soft_wrap=True)

    @contextmanager
    def live(self) -> Generator[None]:
        """Whatever lives as long as training."""
        yield


class _Lines(_Shown):
    """A line per epoch, for files and pipes."""


class _Bar(_Shown):
    """A progress bar below the lines."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(), console=console, transient=True,
        )  # fmt: skip
        self.task: TaskID | None = None

    def start(self, event: Started) -> None:
        self.task = self.progress.add_task("", total=event.epochs * event.batches)

    def batch(self, event: BatchEnd) -> None:
        assert self.started is not None
        assert self.task is not None
        # The bar needs the rest of the line: all other figures come with the epoch.
        shown = ("loss", self.started.figures[0])
        words = " ".join(
            [
                f"epoch {event.epoch}/{self.started.epochs}",
                f"batch {event.batch}/{self.started.batches}",
                *(f"{name} {event.figures[name]:.4g}" for name in shown),
            ]
        )
        self.progress.update(self.task, completed=event.steps, description=words)

    @contextmanager
    def live(self) -> Generator[None]:
        with self.progress:
            yield


@contextmanager
def _stops(control: Control, console: Console) -> Generator[None]:
    """Ctrl+C ends the run after the batch; what it reached is kept. A second one ends at once."""

    def stop(number: int, frame: object) -> None:
        if control.stopped:
            raise KeyboardInterrupt
        control.stop()

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:
        # Only the main thread may set signals; elsewhere nobody presses Ctrl+C.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _results(console: Console, trained: Trained) -> None:
    """What the last epoch reached: the figures where some were chosen, and those of each class."""
    report = trained.report
    epochs = report["epochs"]
    word = "Stopped after" if report["stopped"] else "Finished"
    counts = f"{epochs['finished']} of {epochs['asked']} epochs"
    console.print(f"{word} {counts}, {report['seconds']:.1f} s", highlight=False)
    if trained.project.settings.metrics and epochs["finished"]:
        console.print(_figures_table(trained))
    if not report["classes"]:
        return
    table = Table(box=None, pad_edge=False, title=f"Classes ({report['classes_of']})")
    table.add_column("class")
    names = ("precision", "recall", "f1", "support")
    for name in names:
        table.add_column(name, justify="right")
    for one in report["classes"]:
        cells = [f"{one[name]:.3f}" if name != "support" else str(one[name]) for name in names]
        table.add_row(one["name"], *cells)
    console.print(table)


def _figures_table(trained: Trained) -> Table:
    """The last values of the curves, of training and validation side by side."""
    history = trained.history
    table = Table(box=None, pad_edge=False, title="Figures")
    table.add_column("")
    parts = {"training": ""} | ({"validation": "val_"} if "val_loss" in history else {})
    for part in parts:
        table.add_column(part, justify="right")
    for name in trained.figures:
        table.add_row(name, *(f"{history[start + name][-1]:.4g}" for start in parts.values()))
    return table
