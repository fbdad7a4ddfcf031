"""What training makes of a loss: weighted values, and the gradient of what a batch comes to."""

from __future__ import annotations

from math import prod

import numpy as np

from studio.engine.losses import Loss, scale, spread
from studio.engine.plan import Do, Plans, at_once
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
        if not masked:
            loss, dy = self._plans.run(
                ("loss", batch),
                p,
                (target, factor),
                lambda do, p: self.lay(target, p, factor, batch, do),
            )
            return loss.item(), dy
        values, dy = self._plans.run(
            ("values", batch), p, (target,), lambda do, p: self._lay_values(target, p, batch, do)
        )
        # What a mask makes of weights depends on how many steps it leaves.
        values, factor = self.loss.weighed(values, y, weight, mask)
        loss = self._space.array("loss", (1,), values.dtype)
        add_all(values, loss, at_once, self._share(p, batch))
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
    ) -> tuple[Array, Array]:
        """Have it found: what the values, times the weights of samples, add, and the gradient."""
        share = self._share(p, batch)
        if weight is None:
            return self.loss.lay_sum(y, p, share, self._space, do)
        values, dy = self._lay_values(y, p, batch, do)
        factor = spread(weight, values)
        do(np.multiply, values, factor, out=values)
        do(np.multiply, dy, factor[..., None], out=dy)
        loss = self._space.array("loss", (1,), values.dtype)
        add_all(values, loss, do, share)
        return loss, dy

    def _lay_values(self, y: Array, p: Array, batch: int, do: Do) -> tuple[Array, Array]:
        """The values and the gradient of their share of the loss."""
        values, dy = self.loss.lay(y, p, self._space, do)
        scale(dy, self._share(p, batch), do)
        return values, dy

    def _share(self, p: Array, batch: int) -> float:
        """What of the loss of a batch of that size each value makes up."""
        return 1 / (prod(p.shape[1:-1]) * batch) if self.loss.averages else 1
