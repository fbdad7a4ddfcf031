"""An optimizer's update of all weights, piece by piece, laid out once as a list of calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from studio.engine.memory import empty
from studio.engine.parallel import Workers
from studio.engine.plan import Calls, Do, as_arrays
from studio.engine.workspace import Array

PIECE = 1 << 17
"""Numbers per piece, at most: what an update reads of them fits into a core's second-level cache;
in smaller ones threads would wait for each other between the calls."""
SHARED = 1 << 19
"""From more numbers on, waking a thread takes less time than it saves."""
ALIGNED = 32
"""Pieces begin at multiples of so many numbers, where vectors of the processor do."""


class Piece(NamedTuple):
    """What an update works on.

    Attributes:
        w: the weights, to be updated in place.
        g: their gradients.
        slots: what the optimizer remembers of each, to be updated in place.
        numbers: what is another in each update.
        scratch: two arrays to compute in.
    """

    w: Array
    g: Array
    slots: Sequence[Array]
    numbers: Sequence[Array]
    scratch: tuple[Array, Array]


Lay = Callable[[Piece, int, Do], None]
"""Has a piece updated, which begins at some place in the arrays."""


class Pieces:
    """Updates of the same arrays.

    Each number is updated by itself, so it does not matter which thread does it.

    Args:
        lay: has a piece updated.
        arrays: all weights, their gradients, and the slots.
        numbers: how many numbers are others in each update.
    """

    def __init__(self, lay: Lay, arrays: Sequence[Array], numbers: int) -> None:
        self._lay, self._arrays = lay, arrays
        self._size, dtype = arrays[0].size, arrays[0].dtype
        # An even number of pieces suits most machines.
        count = 1 if self._size <= PIECE else 2 * -(-self._size // (2 * PIECE))
        self._length = -(-self._size // (count * ALIGNED)) * ALIGNED
        self._count = -(-self._size // self._length) if self._size else 0
        self._numbers = as_arrays(*[0.0] * numbers, dtype=dtype)
        self._laid: dict[tuple[int, int], Calls] = {}
        self._scratch: dict[int, Array] = {}

    def update(self, numbers: Sequence[float], workers: Workers | None) -> None:
        """Update all weights, with help where there is much to do."""
        for place, number in zip(self._numbers, numbers, strict=True):
            place[()] = number
        if workers is None or self._size <= SHARED:
            for number in range(self._count):
                self._do(number, 0)
        else:
            workers.run(self._do, self._count)

    def are_of(self, weights: Array, gradients: Array) -> bool:
        """Whether they update these weights by these gradients."""
        return self._arrays[0] is weights and self._arrays[1] is gradients

    def _do(self, number: int, lane: int) -> None:
        """Update one piece, on the thread of that number."""
        calls = self._laid.get((number, lane))
        if calls is None:
            calls = self._laid[number, lane] = Calls()
            self._lay(self._piece(number, lane), number * self._length, calls)
        calls.make()

    def _piece(self, number: int, lane: int) -> Piece:
        cut = slice(number * self._length, (number + 1) * self._length)
        w, g, *slots = (array[cut] for array in self._arrays)
        scratch = self._scratch.get(lane)
        if scratch is None:
            scratch = self._scratch[lane] = empty((2, self._length), w.dtype)
        first, second = scratch[:, : len(w)]
        return Piece(w, g, slots, self._numbers, (first, second))
