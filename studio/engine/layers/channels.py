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
from typing import NamedTuple

import numpy as np

from studio.engine.layers.base import add_rows
from studio.engine.plan import Calls, Do, at_once
from studio.engine.workspace import Array, Task, Threads, Workspace

LINE = 2048
"""Numbers per line, at most."""
PIECE = 1 << 16
"""Numbers per piece: some arrays' pieces fit into a core's second-level cache together."""
SHARED = 1 << 18
"""From so many numbers on, waking a thread takes less time than it saves."""
MOST_TASKS = 8

Work = Callable[[slice, Do], None]
"""Has the lines of a piece worked on."""
Sum = Callable[[slice, Array, Do], None]
"""Has the sums of a piece, (sums, channels), written."""


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

    def each(self, work: Work, threads: Threads, do: Do) -> None:
        """Have all pieces worked on."""
        if self.rows * self.channels < SHARED:
            for piece in self.pieces:
                work(piece, do)
            return
        size = -(-len(self.pieces) // MOST_TASKS)
        tasks: list[Task] = []
        for start in range(0, len(self.pieces), size):
            calls = Calls()
            for piece in self.pieces[start : start + size]:
                work(piece, calls)
            tasks.append(calls.make)
        do(threads.together, tasks)

    def sums(self, work: Sum, out: Array, threads: Threads, space: Workspace, do: Do) -> None:
        """Have as many sums over all rows written, (count, channels)."""
        found = space.array("sums of pieces", (len(self.pieces), *out.shape), out.dtype)
        # All pieces but the last are as long as the first.
        each = self.pieces[0].stop
        self.each(lambda piece, do: work(piece, found[piece.start // each], do), threads, do)
        do(np.add.reduce, found, axis=0, out=out)

    def shift(self, x: Array, values: Array) -> None:
        """Add one number per channel, in place."""
        lines = self.lines(x)
        lines += self.line(values)

    def add(self, lines: Array, out: Array, do: Do) -> None:
        """The sum of the rows of some lines, (channels,)."""
        do(add_rows, lines.reshape(-1, self.channels), out)


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
