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
        reuse: whether memory is kept from batch to batch.
    """

    def __init__(self, loss: Loss, reuse: bool = True) -> None:
        self.loss = loss
        self._space = Workspace(reuse)
        self._plans = Plans(self._space)

    def __call__(
        self, y: Array, p: Array, weight: Array | None, mask: Array | None, batch: int
    ) -> tuple[Array, Array]:
        """The values of a shard of a batch of that size, and its gradient, by ``p``."""
        target = self._space.array("y", y.shape, y.dtype)
        np.copyto(target, y)

        def lay(do: Do, p: Array) -> tuple[Array, Array]:
            values, dy = self.loss.lay(target, p, self._space, do)
            share = self.loss.count(values) * batch / len(values)
            if self.loss.reduction == "sum_over_batch_size" and share != 1:
                do(np.multiply, dy, *as_arrays(1 / share, dtype=dy.dtype), out=dy)
            return values, dy

        values, dy = self._plans.run(("loss", batch), p, [target], lay)
        values, factor = self.loss.weighed(values, y, weight, mask)
        return values, dy if factor is None else dy * factor[..., None].astype(dy.dtype)
