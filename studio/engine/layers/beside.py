"""What is laid out to be done on another thread while the calls after it are made."""

from __future__ import annotations

from collections.abc import Callable

from studio.engine.plan import Calls, Do
from studio.engine.workspace import ALONE, Task, Threads


class Beside:
    """Tasks handed to other threads in the course of a plan.

    Args:
        threads: who does them; with :data:`ALONE` they are calls like all others.
    """

    def __init__(self, threads: Threads) -> None:
        self.alone = threads is ALONE
        self._threads = threads
        self._waits: list[Task] = []

    def lay(self, work: Callable[[Do], None], do: Do) -> None:
        """Have work done beside the calls that follow; where nobody helps, before them."""
        if self.alone:
            work(do)
        else:
            calls = Calls()
            work(calls)
            do(self.hand, calls.make)

    def lay_wait(self, do: Do) -> None:
        """Have all of it done before the calls that follow."""
        if not self.alone:
            do(self._wait)

    def hand(self, task: Task) -> None:
        """Have a task done on another thread."""
        self._waits.append(self._threads.beside(task))

    def _wait(self) -> None:
        waits, self._waits = self._waits, []
        for wait in waits:
            wait()
