"""Work on all numbers of each channel, in long runs of memory, in the cache, and on threads.

An array (…, channels) is read as lines of several rows each. One number per channel, repeated along
a line, then meets the whole array in long runs, however few channels there are. The lines are cut
into pieces; a sum is formed piece by piece and the pieces' sums are added in order, so it does not
depend on which thread works on which piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from studio.engine.plan import Calls, Do, at_once, meet
from studio.engine.sums import add_rows
from studio.engine.workspace import Array, Context, Task

LINE = 2048
"""Numbers per line, at most."""
PIECE = 1 << 17
"""Numbers per piece: pieces of three arrays fit into a core's second-level cache together; in
smaller ones threads would wait for each other between the calls."""
SHARED = 1 << 18
"""From so many numbers on, waking a thread takes less time than it saves."""
MOST_TASKS = 8

Work = Callable[[int, Array, Do], None]
"""Has the lines of a piece worked on, told which; the array has room for these and one line more,
to compute in."""


class Channels(NamedTuple):
    """How arrays of one shape are read, see the module's docstring."""

    rows: int
    channels: int
    repeats: int
    pieces: Sequence[slice]

    def lines(self, x: Array) -> Array:
        """An array without gaps as lines."""
        return x.reshape(-1, self.repeats * self.channels)

    def line(self, values: Array, into: Array | None = None, do: Do = at_once) -> Array:
        """One number per channel (last), repeated along a line; ``into`` has room for that."""
        shape = (*values.shape[:-1], self.repeats, self.channels)
        found = np.empty(shape, values.dtype) if into is None else into.reshape(shape)
        do(np.copyto, found, values[..., None, :])
        return found.reshape(*values.shape[:-1], -1)

    def each(self, work: Work, context: Context, dtype: Any, do: Do) -> None:
        """Have all pieces worked on."""
        count = len(self.pieces)
        shared = self.rows * self.channels >= SHARED
        size = -(-count // MOST_TASKS) if shared else count
        starts = range(0, count, size)
        shape = (len(starts), self.pieces[0].stop + 1, self.repeats * self.channels)
        tasks: list[Task] = []
        for start, spare in zip(starts, context.scratch.array("spare", shape, dtype), strict=True):
            calls = Calls()
            for number in range(start, min(start + size, count)):
                work(number, spare, calls if shared else do)
            tasks.append(calls.make)
        if shared:
            meet(do, context.threads, tasks)

    def add(self, lines: Array, out: Array, do: Do) -> None:
        """The sum of the rows of some lines, (channels,)."""
        add_rows(lines.reshape(-1, self.channels), out, do)


@lru_cache(maxsize=256)
def channels_of(shape: tuple[int, ...]) -> Channels:
    """How arrays of that shape are read."""
    rows, channels = prod(shape[:-1]), shape[-1]
    repeats = next(
        number for number in range(max(1, min(rows, LINE // channels)), 0, -1) if rows % number == 0
    )
    lines, size = rows // repeats, max(1, PIECE // (repeats * channels))
    pieces = tuple(slice(start, min(start + size, lines)) for start in range(0, lines, size))
    return Channels(rows, channels, repeats, pieces)
