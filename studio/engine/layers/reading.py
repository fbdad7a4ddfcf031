"""A batch of sequences as a recurrent layer reads it, and which of its steps count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.engine.plan import Do
from studio.engine.workspace import Array

SHORTEST = 1 << 16
"""How many numbers are worked on at a time at the end of a way, when only they are left."""


@dataclass(slots=True)
class Skips:
    """Which steps of which sequences don't count.

    Attributes:
        where: (time, 1, batch) bool.
        some: of each step, whether any sequence skips it.
        skipped: 1 where a step does not count, else 0; shape as ``where``.
        counted: 1 where a step counts, else 0.
    """

    where: Array
    some: list[bool]
    skipped: Array
    counted: Array

    @classmethod
    def outside(cls, mask: Array, dtype: Any) -> Skips:
        """Those that a mask (time, 1, batch) leaves out."""
        where = ~mask
        some: Any = where.any(axis=(1, 2)).tolist()
        return cls(where, some, where.astype(dtype), mask.astype(dtype))


@dataclass(slots=True)
class Reading:
    """A batch of sequences on its way through a layer, all arrays with the batch last.

    Attributes:
        read: what the products of all steps read, ``[x_t ; 1 ; h_{t-1}]`` with dropout:
            (time + 1, features + 1 + units, batch).
        states: h, the first one 0: (time + 1, units, batch); part of ``read`` unless h is dropped.
        features: how many numbers x_t has.
        skips: which steps don't count, or None where all do.
        drop: the factors of dropout of the state, (units, batch), or None.
        drop_inputs: those of the inputs, (features, batch), or None.
    """

    read: Array
    states: Array
    features: int
    skips: Skips | None
    drop: Array | None
    drop_inputs: Array | None

    @property
    def time(self) -> int:
        """How many steps there are."""
        return len(self.read) - 1

    @property
    def batch(self) -> int:
        """How many sequences there are."""
        return self.read.shape[2]

    def carry(self, t: int, do: Do, *others: Array) -> None:
        """Finish step t: where it is masked the states stay as they were before it."""
        if self.skips is not None and self.skips.some[t]:
            for states in (self.states, *others):
                do(np.copyto, states[t + 1], states[t], where=self.skips.where[t])
        if self.drop is not None:
            dropped = self.read[t + 1, self.features + 1 :]
            do(np.multiply, self.states[t + 1], self.drop, out=dropped)

    def pieces(self, width: int, numbers: int) -> list[slice]:
        """All steps in pieces of about so many numbers, shorter ones towards the end."""
        row = self.batch * width
        longest, shortest = max(1, numbers // row), max(1, SHORTEST // row)
        found: list[slice] = []
        start = 0
        while (left := self.time - start) > 0:
            size = left if left < 2 * shortest else max(shortest, min(longest, left // 2))
            found.append(slice(start, start + size))
            start += size
        return found
