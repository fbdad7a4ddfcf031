"""Layers whose work is the same calls in every step, laid out once."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.layers.base import Gradients, Layer
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context


class Planned(Layer):
    """A layer that tells what is to be called in every step instead of doing it.

    Several of them in a row are laid out together.
    """

    is_laid_out = True

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The output and what :meth:`lay_back` will need, as ``forward`` returns them.

        ``do`` has calls made that fill them in; nothing else may look into an array, not even into
        a mask, which lies where it does in every batch.
        """
        raise NotImplementedError

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """What ``backward`` returns, filled in by what ``do`` has called."""
        raise NotImplementedError

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The output and what ``backward`` will need."""
        values = [weight.value for weight in self.weights]
        return context.planned("forward", x, values, lambda do, x: self.lay(x, context, do))

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The gradients of the input and of each weight."""
        values = [weight.value for weight in self.weights]
        fixed = [cache, *values, *context.gradients.values()]
        return context.planned(
            "backward", dy, fixed, lambda do, dy: self.lay_back(dy, cache, context, do)
        )


def multiplied(x: Array, factors: Array, name: str, context: Context, do: Do) -> Array:
    """x · factors, in memory of that name."""
    found = context.workspace.array(name, x.shape, x.dtype)
    do(np.multiply, x, factors, out=found)
    return found
