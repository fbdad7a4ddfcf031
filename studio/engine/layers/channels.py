"""Work on all numbers of each channel, in long runs of memory, in the cache, and on threads.

An array (…, channels) is read as lines of several rows each. One number per channel, repeated along
a line, then meets the whole array in long runs, however few channels there are. The lines are cut
into pieces; a sum is formed piece by piece and the pieces' sums are added in order, so it does not
depend on which thread works on which piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import prod
from typing import NamedTuple

import numpy as np

from studio.engine.layers.base import add_rows
from studio.engine.workspace import Array, Threads

LINE = 2048
"""Numbers per line, at most."""
PIECE = 1 << 16
"""Numbers per piece: some arrays' pieces fit into a core's second-level cache together."""
SHARED = 1 << 18
"""From so many numbers on, waking a thread takes less time than it saves."""
MOST_TASKS = 8

Work = Callable[[slice], None]
"""Works on the lines of a piece."""
Sum = Callable[[slice, Array], None]
"""Writes the sums of a piece, (sums, channels)."""


class Channels(NamedTuple):
    """How arrays of one shape are read, see the module's docstring."""

    rows: int
    channels: int
    repeats: int
    pieces: Sequence[slice]

    def lines(self, x: Array) -> Array:
        """An array without gaps as lines."""
        return x.reshape(-1, self.repeats * self.channels)

    def line(self, values: Array) -> Array:
        """One number per channel (last), repeated along a line."""
        found = np.empty((*values.shape[:-1], self.repeats, self.channels), values.dtype)
        found[:] = values[..., None, :]
        return found.reshape(*values.shape[:-1], -1)

    def each(self, work: Work, threads: Threads) -> None:
        """Work on all pieces."""
        if self.rows * self.channels < SHARED:
            _all(work, self.pieces)
            return
        size = -(-len(self.pieces) // MOST_TASKS)
        threads.together(
            [
                partial(_all, work, self.pieces[start : start + size])
                for start in range(0, len(self.pieces), size)
            ]
        )

    def sums(self, work: Sum, count: int, threads: Threads, dtype: np.dtype[np.generic]) -> Array:
        """As many sums over all rows, (count, channels)."""
        found = np.empty((len(self.pieces), count, self.channels), dtype)
        # All pieces but the last are as long as the first.
        self.each(lambda piece: work(piece, found[piece.start // self.pieces[0].stop]), threads)
        return np.add.reduce(found, axis=0)

    def shift(self, x: Array, values: Array) -> None:
        """Add one number per channel, in place."""
        lines = self.lines(x)
        lines += self.line(values)

    def add(self, lines: Array, out: Array) -> None:
        """The sum of the rows of some lines, (channels,)."""
        add_rows(lines.reshape(-1, self.channels), out)


def _all(work: Work, pieces: Sequence[slice]) -> None:
    for piece in pieces:
        work(piece)


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
