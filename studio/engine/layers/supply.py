"""A layer's output as the next one asks for it: a few samples at a time.

What has been made of them is still in the cache when the next layer reads it, and so is, on the way
back, what this layer reads; neither needs memory for more. What the next layer does not look at, as
its windows don't reach the end of an image, is not computed at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from studio.engine.layers.base import Gradients
from studio.engine.plan import Do
from studio.engine.workspace import Array

Lead = Callable[[slice, Array], None]
"""Takes the gradient of the output for some samples, the ones after the other."""


class WayBack(NamedTuple):
    """A layer's way back, begun.

    Attributes:
        dx: the gradient of the input, filled in by ``lead``; None where nobody needs it.
        gradients: those of the weights, likewise.
        lead: leads the gradient of the output back, some samples after the other.
    """

    dx: Array | None
    gradients: Gradients
    lead: Lead


@runtime_checkable
class Asking(Protocol):
    """A layer that asks for its input, where the one before supplies it."""

    def needs(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """How many positions it needs along each spatial dimension, of those that there are."""
        ...


class Supply:
    """What one layer does for the next, for one batch.

    Args:
        lay: has the output for some samples computed, in memory that the next ones overwrite.
        way_back: begins the way back, of as many samples at a time as there are in an array.
    """

    def __init__(
        self, lay: Callable[[slice, Do], Array], way_back: Callable[[Array, Do], WayBack]
    ) -> None:
        self.lay = lay
        self._way_back = way_back
        self._found: tuple[Array | None, Gradients] | None = None

    def begin_back(self, like: Array, do: Do) -> Lead:
        """What leads gradients back that come in arrays like this one, or of fewer samples."""
        dx, gradients, lead = self._way_back(like, do)
        self._found = dx, gradients
        return lead

    @property
    def found(self) -> tuple[Array | None, Gradients]:
        """The gradients of the input and of the weights, after the way back."""
        assert self._found is not None
        return self._found


def hollow(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array that only has a shape, where a layer's output or its gradient is never whole."""
    return np.broadcast_to(np.zeros((), dtype), shape)
