"""What training makes of a loss: weighted values, and the gradient of what a batch comes to."""

from __future__ import annotations

import numpy as np

from studio.engine.losses import Loss
from studio.engine.plan import Do, Plans, as_arrays
from studio.engine.workspace import Array, Workspace


class Objective:
    """A loss at the end of a lane, laid out like the layers before it.

    Args:
        loss: the loss.
        space: memory that is its own.
    """

    def __init__(self, loss: Loss, space: Workspace) -> None:
        self.loss = loss
        self._space = space
        self._plans = Plans(space)

    def __call__(
        self, y: Array, p: Array, weight: Array | None, mask: Array | None, batch: int
    ) -> tuple[Array, Array]:
        """The values of a shard of a batch of that size, and its gradient, by ``p``."""
        target = self.settled(y)
        values, dy = self._plans.run(
            ("loss", batch), p, [target], lambda do, p: self.lay(target, p, batch, do)
        )
        values, factor = self.loss.weighed(values, y, weight, mask)
        return values, dy if factor is None else dy * factor[..., None].astype(dy.dtype)

    def settled(self, y: Array) -> Array:
        """The targets where they lie in every batch: what has been laid out reads them there."""
        target = self._space.array("y", y.shape, y.dtype)
        target[...] = y
        return target

    def lay(self, y: Array, p: Array, batch: int, do: Do) -> tuple[Array, Array]:
        """Have the values and the gradient found, as where nothing has a weight."""
        values, dy = self.loss.lay(y, p, self._space, do)
        share = self.loss.count(values) * batch / len(values)
        if self.loss.reduction == "sum_over_batch_size" and share != 1:
            do(np.multiply, dy, *as_arrays(1 / share, dtype=dy.dtype), out=dy)
        return values, dy
