"""Shards of a batch on threads.

NumPy releases the interpreter lock in its loops and products, so shards really run side by side.
Each product runs on one BLAS thread (see ``blas``): the shards are what fills the cores.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from studio.engine.denormals import denormals_are_zero
from studio.engine.loops import loops_for_training
from studio.engine.workspace import ALONE, Task

Work = Callable[[int], object]

MOST_THREADS = 64
"""So many threads at most: more would find hardly anything to do."""


class Workers:
    """Threads that run a function for each shard; the calling thread is the first of them.

    Use as a context manager: leaving it ends the threads.

    Args:
        threads: how many shards run at a time, the calling thread included.
    """

    def __init__(self, threads: int) -> None:
        self.threads = min(max(1, threads), MOST_THREADS)
        self._inboxes: list[SimpleQueue[Work | None]] = []
        self._threads: list[threading.Thread] = []
        self._later: deque[Task] = deque()
        self._handed = 0
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def _start(self) -> None:
        """Start the threads, when there is something for them to do for the first time."""
        if self._threads:
            return
        for lane in range(1, self.threads):
            inbox: SimpleQueue[Work | None] = SimpleQueue()
            thread = threading.Thread(
                target=_serve, args=(inbox, lane), name=f"shard-{lane}", daemon=True
            )
            self._inboxes.append(inbox)
            self._threads.append(thread)
            thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._inboxes.clear()
        self._threads.clear()

    def run(
        self,
        task: Callable[[int, int], object],
        shards: int,
        in_turn: bool = False,
        later: Sequence[Task] = (),
    ) -> None:
        """Call ``task(shard, lane)`` for each shard; return when all are done.

        A lane is a thread: no two tasks of one lane run at the same time. The first error that a
        task raises is raised here, after the others have ended.

        Args:
            task: what is done.
            shards: how many there are.
            in_turn: whether shards are dealt to the lanes in turn, the same ones each time; else
                each goes to the first lane that is free.
            later: what is done by whoever has nothing else to do, before :meth:`finish` returns.
        """
        helpers = min(self.threads, shards) - 1
        if helpers < 1:
            self._hand(later)
            for shard in range(shards):
                task(shard, 0)
            return
        self._start()
        numbers = iter(range(shards))
        errors: list[BaseException] = []
        done: SimpleQueue[None] = SimpleQueue()

        def work(lane: int) -> int:
            count = 0
            for shard in range(lane, shards, helpers + 1) if in_turn else numbers:
                try:
                    if not errors:
                        task(shard, lane)
                except BaseException as error:
                    errors.append(error)
                count += 1
                if lane:
                    done.put(None)
            return count

        for inbox in self._inboxes[:helpers]:
            inbox.put(work)
        self._hand(later)
        # Not for threads, which may come when nothing is left for them, but for shards.
        for _ in range(shards - work(0)):
            while in_turn and self._later and done.empty():
                self._do_later()
            done.get()
        if errors:
            raise errors[0]

    def together(self, tasks: Sequence[Task], later: Sequence[Task] = ()) -> None:
        """Have tasks done, in any order and at the same time; others later, see :meth:`run`."""
        self.run(lambda number, _: tasks[number](), len(tasks), later=later)

    def finish(self) -> None:
        """Return when all that was to be done later is done; an error of it is raised here."""
        if not self._handed:
            return
        while self._later:
            self._do_later()
        errors = [self._ended.get() for _ in range(self._handed)]
        self._handed = 0
        for error in errors:
            if error is not None:
                raise error

    def _hand(self, tasks: Sequence[Task]) -> None:
        if self.threads < 2:
            for task in tasks:
                task()
            return
        if tasks:
            self._start()
        self._handed += len(tasks)
        self._later.extend(tasks)
        for inbox in self._inboxes[: len(tasks)]:
            inbox.put(self._help_later)

    def _help_later(self, lane: int) -> None:
        """Do one; the next when nothing that is waited for has come."""
        self._do_later()
        if self._later:
            self._inboxes[lane - 1].put(self._help_later)

    def _do_later(self) -> None:
        try:
            task = self._later.popleft()
        except IndexError:
            return
        try:
            task()
        except BaseException as error:
            self._ended.put(error)
        else:
            self._ended.put(None)

    def beside(self, task: Task) -> Task:
        """Have a task done on another thread; the function returned waits until it is done.

        Tasks are done in the order in which they come. An error is raised where it is waited for.
        """
        if self.threads < 2:
            return ALONE.beside(task)
        self._start()
        errors: list[BaseException] = []
        undone = threading.Lock()
        undone.acquire()

        def work(_: int) -> None:
            try:
                task()
            except BaseException as error:
                errors.append(error)
            finally:
                undone.release()

        def wait() -> None:
            with undone:
                if errors:
                    raise errors[0]

        self._inboxes[0].put(work)
        return wait


def _serve(inbox: SimpleQueue[Work | None], lane: int) -> None:
    with loops_for_training(), denormals_are_zero():
        while (work := inbox.get()) is not None:
            work(lane)


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
