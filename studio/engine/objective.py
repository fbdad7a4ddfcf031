"""What training makes of a loss: weighted values, and the gradient of what a batch comes to."""

from __future__ import annotations

import numpy as np

from studio.engine.losses import Loss, spread
from studio.engine.plan import Do, Plans, as_arrays, at_once
from studio.engine.sums import add_all
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
    ) -> tuple[float, Array]:
        """What a shard adds to the loss of a batch of that size, and its gradient, by ``p``."""
        masked = mask is not None or self.loss.makes_mask
        target, factor = self.settled(y, None if masked else weight)
        values, loss, dy = self._plans.run(
            ("loss", batch),
            p,
            (target, factor),
            lambda do, p: self.lay(target, p, factor, batch, do),
        )
        if not masked:
            return loss.item(), dy
        # What a mask makes of weights depends on how many steps it leaves.
        values, factor = self.loss.weighed(values, y, weight, mask)
        add_all(values, loss, at_once, 1 / self._count(values, batch))
        return loss.item(), dy if factor is None else dy * factor[..., None].astype(dy.dtype)

    def settled(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """Targets and weights where they lie in every batch: what is laid out reads them there."""
        return self._placed("y", y), None if weight is None else self._placed("weight", weight)

    def _placed(self, name: str, array: Array) -> Array:
        place = self._space.array(name, array.shape, array.dtype)
        place[...] = array
        return place

    def lay(
        self, y: Array, p: Array, weight: Array | None, batch: int, do: Do
    ) -> tuple[Array, Array, Array]:
        """Have it all found: values times the weights of samples, what they add, the gradient."""
        values, dy = self.loss.lay(y, p, self._space, do)
        share = 1 / self._count(values, batch)
        if share != 1:
            do(np.multiply, dy, *as_arrays(share, dtype=dy.dtype), out=dy)
        if weight is not None:
            factor = spread(weight, values)
            do(np.multiply, values, factor, out=values)
            do(np.multiply, dy, factor[..., None], out=dy)
        loss = self._space.array("loss", (1,), values.dtype)
        add_all(values, loss, do, share)
        return values, loss, dy

    def _count(self, values: Array, batch: int) -> float:
        """How many values a batch of that size has, where the loss is their mean; else 1."""
        return values.size * batch / len(values) if self.loss.averages else 1
