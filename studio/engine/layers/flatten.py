"""Layers that only give their input another shape."""

from __future__ import annotations

from math import prod
from typing import Any, cast

from studio.engine.layers.base import Gradients, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape


class Relaid(Planned):
    """The same numbers in another shape."""

    supports_masking = False

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The numbers in the output's shape."""
        shape = cast("tuple[int, ...]", self.compute_output_shape(x.shape))
        return without_gaps(x, "x", context.workspace, do).reshape(shape), x.shape

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The numbers in the input's shape."""
        return without_gaps(dy, "dy", context.workspace, do).reshape(cache), {}


@register()
class Flatten(Relaid):
    """All numbers of a sample in one row.

    Input shape: ``(batch, …)``. Output shape: ``(batch, product of the rest)``.
    Source: https://keras.io/api/layers/reshaping_layers/flatten/
    """

    category = "Core"
    help = "Lays out an image or a sequence as one row of numbers."

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, a, b, …) → (batch, a · b · …)."""
        rest = input_shape[1:]
        if None in rest:
            return (input_shape[0], None)
        return (input_shape[0], prod(cast("tuple[int, ...]", rest)))
