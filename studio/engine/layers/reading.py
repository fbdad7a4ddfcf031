"""A batch of sequences as a recurrent layer reads it, and which of its steps count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studio.engine.plan import Do
from studio.engine.workspace import Array, Workspace

SHORTEST = 1 << 16
"""How many numbers are worked on at a time at the end of a way, when only they are left."""

Pairs = Sequence[tuple[Array, Array]]
"""Gradients of states, each with room for what does not go through a step."""


@dataclass(slots=True)
class Skips:
    """Which steps of which sequences don't count.

    Attributes:
        where: (time, 1, batch) bool.
        skipped: 1 where a step does not count, else 0; shape as ``where``.
        counted: 1 where a step counts, else 0.
        some: of each step, whether any sequence skips it.
    """

    where: Array
    skipped: Array
    counted: Array
    some: list[bool] = field(default_factory=list[bool])

    @classmethod
    def outside(cls, mask: Array, space: Workspace, dtype: Any, do: Do) -> Skips:
        """Those that a mask (time, 1, batch) leaves out, found in each batch."""
        found = cls(
            space.array("where skipped", mask.shape, mask.dtype),
            space.array("skipped", mask.shape, dtype),
            space.array("counted", mask.shape, dtype),
        )
        do(np.logical_not, mask, out=found.where)
        do(np.copyto, found.skipped, found.where)
        do(np.copyto, found.counted, mask)
        do(found.look)
        return found

    def look(self) -> None:
        """Find out which steps are skipped at all: most calls are for the others."""
        some: Any = self.where.any(axis=(1, 2))
        self.some = some.tolist()

    def carry(self, t: int, *series: Array) -> None:
        """Where step t is skipped, the states after it are those before it."""
        if self.some[t]:
            for states in series:
                np.copyto(states[t + 1], states[t], where=self.where[t])

    def set_aside(self, t: int, pairs: Pairs) -> None:
        """Move what does not go through step t from the first to the second of each pair."""
        if self.some[t]:
            for gradient, kept in pairs:
                np.multiply(gradient, self.skipped[t], out=kept)
                np.multiply(gradient, self.counted[t], out=gradient)

    def put_back(self, t: int, pairs: Pairs) -> None:
        """Add to the first of each pair what was moved to the second."""
        if self.some[t]:
            for gradient, kept in pairs:
                np.add(gradient, kept, out=gradient)


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
        if self.skips is not None:
            do(self.skips.carry, t, self.states, *others)
        if self.drop is not None:
            dropped = self.read[t + 1, self.features + 1 :]
            do(np.multiply, self.states[t + 1], self.drop, out=dropped)

    def set_aside(self, t: int, pairs: Pairs, do: Do) -> None:
        """Before step t goes back: keep apart what does not go through it."""
        if self.skips is not None:
            do(self.skips.set_aside, t, pairs)

    def put_back(self, t: int, pairs: Pairs, do: Do) -> None:
        """After it: together again."""
        if self.skips is not None:
            do(self.skips.put_back, t, pairs)

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
