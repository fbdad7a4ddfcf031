"""What a recurrent layer's weights get from all steps: a sum of products, made beside the way back.

The pieces come as the recurrence gets to them, and another thread adds them up. Once the recurrence
has ended, its thread takes what still waits from the other end. The order of the sum is that of the
pieces, whoever computes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from studio.engine.layers.beside import Beside
from studio.engine.plan import Calls, Do
from studio.engine.workspace import Array, Context

MOST_TAKEN = 4
"""So many products may be kept to be added at the end."""


class StepProducts:
    """Σ left_t · right_tᵀ over all steps, added up piece by piece.

    Args:
        name: what its scratch memory is called.
        left: (time, rows, batch).
        right: (time, columns, batch).
        pieces: the steps of each piece, in the order in which they come.
        beside: who adds them up.
        context: that of the layer.
        do: has the sum begun.
    """

    def __init__(
        self,
        name: str,
        left: Array,
        right: Array,
        pieces: Sequence[slice],
        beside: Beside,
        context: Context,
        do: Do,
    ) -> None:
        # The one with more rows first: BLAS does that faster.
        self._swapped = right.shape[1] > left.shape[1]
        self._factors = (right, left) if self._swapped else (left, right)
        self._name, self._pieces, self._beside = name, pieces, beside
        self._space, self._shape = context.workspace, tuple(f.shape[1] for f in self._factors)
        self._sum = self._space.array(f"{name} sum", self._shape, left.dtype)
        do(self._sum.fill, 0)
        self._waiting: deque[int] = deque()
        self._taken: list[Array] = []
        if beside.alone:
            return
        do(self._waiting.clear)
        self._adding = [Calls() for _ in pieces]
        for number, calls in enumerate(self._adding):
            self._lay_add(number, calls)
        self._taking: dict[int, tuple[Calls, Array]] = {}
        for number in range(len(pieces))[-MOST_TAKEN:]:
            calls = Calls()
            self._taking[number] = calls, self._lay_product(number, f"own {number}", calls)

    def lay_piece(self, number: int, do: Do) -> None:
        """Have the products of a piece's steps added; they may be waited for with the others."""
        if self._beside.alone:
            self._lay_add(number, do)
        else:
            do(self._hand, number)

    def lay_rest(self, do: Do) -> None:
        """Have some of the products made that still wait; then wait for the others."""
        if not self._beside.alone:
            do(self._take)

    def lay_total(self, do: Do) -> Array:
        """The sum, (rows, columns), when all has been waited for."""
        if not self._beside.alone:
            do(self._add_taken)
        return self._sum.T if self._swapped else self._sum

    def _lay_add(self, number: int, do: Do) -> None:
        do(np.add, self._sum, self._lay_product(number, "product", do), out=self._sum)

    def _lay_product(self, number: int, name: str, do: Do) -> Array:
        """The sum of the products of a piece's steps."""
        turned: list[Array] = []
        piece, dtype = self._pieces[number], self._sum.dtype
        for side, factor in enumerate(self._factors):
            steps = factor[piece].swapaxes(0, 1)
            # One product of all steps of a piece wants them side by side.
            used = self._space.array(f"{self._name} {name} {side}", steps.shape, dtype)
            do(np.copyto, used, steps)
            turned.append(used.reshape(len(used), -1))
        out = self._space.array(f"{self._name} {name}", self._shape, dtype)
        do(np.matmul, turned[0], turned[1].T, out=out)
        return out

    def _hand(self, number: int) -> None:
        self._waiting.append(number)
        self._beside.hand(self.add_next)

    def add_next(self) -> None:
        """Add the piece that has waited longest."""
        # Nothing is left where the recurrence's own thread has taken it.
        if (number := _popped(self._waiting.popleft)) is not None:
            self._adding[number].make()

    def _take(self) -> None:
        while len(self._taken) < MOST_TAKEN:
            if (number := _popped(self._waiting.pop)) is None:
                return
            calls, product = self._taking[number]
            calls.make()
            self._taken.append(product)

    def _add_taken(self) -> None:
        while self._taken:
            self._sum += self._taken.pop()


def _popped(pop: Callable[[], int]) -> int | None:
    """What is popped, or None if another thread has been faster."""
    try:
        return pop()
    except IndexError:
        return None
