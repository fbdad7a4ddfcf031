"""Training in a QThread. Events cross by an inbox, emptied at most 20 times a second."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from time import perf_counter

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from studio.engine.errors import StudioError
from studio.engine.parallel import cores
from studio.project.values import Project
from studio.training.control import Control
from studio.training.events import Event, Failed
from studio.training.run import train

INTERVAL_MS, LONGEST_MS = 50, 200
"""The shortest and the longest time between two looks for news."""
SHARE = 0.025
"""Which part of the time drawing may take, where the longest time allows; it is taken from the
training."""
SWITCH_SECONDS = 0.00005
"""How long training may hold the interpreter while the window waits for it; a repaint does so many
times over."""

NICENESS = 10
"""How far the threads that train stand back behind the window, and behind other programs."""

log = logging.getLogger(__name__)


class _Thread(QThread):
    def __init__(
        self, project: Project, control: Control, inbox: deque[Event], threads: int, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.project = project
        self.control = control
        self.inbox = inbox
        self.threads = threads

    def run(self) -> None:
        stand_back()
        try:
            train(self.project, self.inbox.append, self.control, self.threads)
        except Exception as error:
            log.exception("Training failed")
            found = f"{type(error).__name__}: {error}"
            advice = "This is a fault of the program; the log file has the details."
            self.inbox.append(Failed(StudioError("training to go on", found, "training", advice)))


def stand_back() -> None:
    """Have this thread, and those that it starts, wait for others that want a processor.

    Only Linux lets a thread be nicer than its process; where it does not, training goes on as is.
    """
    if sys.platform == "linux":
        own = threading.get_native_id()
        with suppress(OSError):
            present = os.getpriority(os.PRIO_PROCESS, own)
            os.setpriority(os.PRIO_PROCESS, own, max(NICENESS, present))


class Runner(QObject):
    """Starts and ends runs, one at a time.

    ``happened`` carries the events since the last time as a list, in order and in the window's
    thread, also where there were none, so that who draws bit by bit goes on; ``changed`` says that
    ``running`` or ``paused`` may have changed.
    """

    happened = Signal(object)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: _Thread | None = None
        self._inbox: deque[Event] = deque()
        self._control = Control()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._deliver)
        self._after = QTimer(self)
        self._after.setSingleShot(True)
        self._after.timeout.connect(self._drawn)
        self._began = 0.0
        self._switch = sys.getswitchinterval()

    @property
    def running(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self._thread is not None

    @property
    def paused(self) -> bool:
        """Whether the run waits."""
        return self.running and self._control.paused

    def start(self, project: Project, threads: int | None = None) -> None:
        """Train a project; nothing if a run is under way.

        Args:
            project: the value that is trained, whatever is edited meanwhile.
            threads: how many threads compute; all processors where not given.
        """
        if self.running:
            return
        self._inbox = deque()
        self._control = Control()
        self._thread = _Thread(project, self._control, self._inbox, threads or cores(), self)
        self._thread.finished.connect(self._end)
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        # Looking through all that is there already for garbage would stop the window for 60 ms.
        gc.freeze()
        self._thread.start()
        self._timer.start()
        self.changed.emit()

    def toggle_pause(self) -> None:
        """Pause before the next batch, or go on."""
        if self._control.paused:
            self._control.resume()
        else:
            self._control.pause()
        self.changed.emit()

    def step(self) -> None:
        """Do one batch and pause."""
        self._control.step()
        self.changed.emit()

    def stop(self) -> None:
        """End the run before the next batch."""
        self._control.stop()

    def finish(self) -> None:
        """End the run and wait for its thread: the window closes."""
        if self._thread is not None:
            thread = self._thread
            self.stop()
            thread.wait()
            self._end()

    def _deliver(self) -> None:
        # As a whole: each emission may have to wait for the interpreter that training holds.
        events = [self._inbox.popleft() for _ in range(len(self._inbox))]
        self._began = perf_counter()
        self._control.hold()
        self.happened.emit(events)
        if self.running:
            # What was changed is drawn by events that come before this timer.
            self._after.start()

    def _drawn(self) -> None:
        """Let the run go on, and look for news the later, the longer drawing takes here."""
        self._control.release()
        seconds = perf_counter() - self._began
        self._timer.setInterval(int(min(max(INTERVAL_MS, 1000 * seconds / SHARE), LONGEST_MS)))

    def _end(self) -> None:
        # That a run has ended may be told when the next one is under way.
        if self._thread is None or not self._thread.isFinished():
            return
        self._timer.stop()
        self._after.stop()
        sys.setswitchinterval(self._switch)
        gc.unfreeze()
        thread, self._thread = self._thread, None
        thread.wait()
        self._deliver()
        thread.deleteLater()
        self.changed.emit()
