"""What a recurrent layer's weights get from all steps: a sum of products, made beside the way back.

The pieces come as the recurrence gets to them, and another thread adds them up. Once the recurrence
has ended, its thread takes what still waits from the other end. The order of the sum is that of the
pieces, whoever computes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from studio.engine.workspace import Array, Context, Task, Threads

MOST_TAKEN = 4
"""So many products may be kept to be added at the end."""


class StepProducts:
    """Σ left_t · right_tᵀ over all steps, added up piece by piece.

    Args:
        name: what its scratch memory is called.
        left: (time, rows, batch).
        right: (time, columns, batch).
        longest: how many steps a piece has at most.
        context: that of the layer.
    """

    def __init__(
        self, name: str, left: Array, right: Array, longest: int, context: Context
    ) -> None:
        # The one with more rows first: BLAS does that faster.
        self._swapped = right.shape[1] > left.shape[1]
        self._factors = (right, left) if self._swapped else (left, right)
        batch, dtype, space = left.shape[2], left.dtype, context.workspace
        # One product of all steps of a piece wants them side by side; each side has its own.
        self._turned = [
            [
                space.array(f"{name} {side} {who}", (factor.shape[1], longest, batch), dtype)
                for side, factor in enumerate(self._factors)
            ]
            for who in range(2)
        ]
        shape = tuple(factor.shape[1] for factor in self._factors)
        self._product = space.array(f"{name} product", shape, dtype)
        self._sum = np.zeros(shape, dtype)
        self._waiting: deque[slice] = deque()

    def add(self, piece: slice, threads: Threads) -> Task:
        """Have the products of these steps added; what is returned waits until they are."""
        self._waiting.append(piece)
        return threads.beside(self._add_first)

    def take(self) -> list[Array]:
        """Products that still waited, the first one last, to be handed to :meth:`total`."""
        taken: list[Array] = []
        while len(taken) < MOST_TAKEN and (piece := _popped(self._waiting.pop)) is not None:
            taken.append(self.multiply(piece, 1, np.empty_like(self._sum)))
        return taken

    def total(self, taken: list[Array]) -> Array:
        """The sum, (rows, columns), when all tasks are done."""
        while taken:
            self._sum += taken.pop()
        return self._sum.T if self._swapped else self._sum

    def _add_first(self) -> None:
        # Nothing is left where the recurrence's own thread has taken it.
        if (piece := _popped(self._waiting.popleft)) is not None:
            self._sum += self.multiply(piece, 0, self._product)

    def multiply(self, piece: slice, who: int, out: Array) -> Array:
        """The sum of these steps' products, in the scratch memory of ``who``."""
        turned: list[Array] = []
        for factor, space in zip(self._factors, self._turned[who], strict=True):
            used = space[:, : piece.stop - piece.start]
            np.copyto(used, factor[piece].swapaxes(0, 1))
            turned.append(used.reshape(len(used), -1))
        return np.matmul(turned[0], turned[1].T, out=out)


def _popped(pop: Callable[[], slice]) -> slice | None:
    """What is popped, or None if another thread has been faster."""
    try:
        return pop()
    except IndexError:
        return None
