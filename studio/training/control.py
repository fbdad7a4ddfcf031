"""The switches of a run, which any thread may set and the run reads once per batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

PATIENCE = 0.05
"""Seconds for which a run lets somebody else have the interpreter, at most."""


class Control:
    """Pause, resume, step and stop.

    With :meth:`hold` and :meth:`release` a window has the interpreter to itself while it draws:
    two threads that share it wait far longer for each other than the drawing takes.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._free = threading.Event()
        self._free.set()
        self._paused = False
        self._stopped = False
        self._steps = 0

    @property
    def paused(self) -> bool:
        """Whether the run is to wait before the next batch."""
        return self._paused

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return self._stopped

    def pause(self) -> None:
        """Wait before the next batch, whatever was to be done by :meth:`step`."""
        with self._changed:
            self._paused, self._steps = True, 0

    def resume(self) -> None:
        """Go on."""
        with self._changed:
            self._paused, self._steps = False, 0
            self._changed.notify_all()

    def step(self) -> None:
        """Do one batch, and wait before the one after it."""
        with self._changed:
            self._paused = True
            self._steps += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run before the next batch, paused or not."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def hold(self) -> None:
        """Wait a moment before the next batch, until :meth:`release`."""
        self._free.clear()

    def release(self) -> None:
        """Go on after :meth:`hold`."""
        self._free.set()

    def wait(
        self, on_pause: Callable[[], None], on_resume: Callable[[], None], counts: bool = True
    ) -> float:
        """Return when the next batch may begin, or the run is to end; the run calls it.

        Args:
            on_pause: called if it has to wait.
            on_resume: called when it goes on after that.
            counts: whether the batch is one that :meth:`step` means; those of a validation are not.

        Returns:
            For how many seconds it waited.
        """
        if not self._free.is_set():
            self._free.wait(PATIENCE)
        if not self._paused or self._stopped:
            return 0.0
        with self._changed:
            if self._steps:
                self._steps -= counts
                return 0.0
        on_pause()
        started = monotonic()
        with self._changed:
            self._changed.wait_for(lambda: not self._paused or self._stopped or self._steps)
            self._steps = max(0, self._steps - counts)
        if not self._stopped:
            on_resume()
        return monotonic() - started
