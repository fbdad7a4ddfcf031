"""Layers that only rearrange their input."""

from __future__ import annotations

from math import prod
from typing import Any, cast

from studio.engine.layers.base import Gradients, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape


@register()
class Flatten(Planned):
    """All numbers of a sample in one row.

    Input shape: ``(batch, …)``. Output shape: ``(batch, product of the rest)``.
    Source: https://keras.io/api/layers/reshaping_layers/flatten/
    """

    category = "Core"
    supports_masking = False
    help = "Lays out an image or a sequence as one row of numbers."

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, a, b, …) → (batch, a · b · …)."""
        rest = input_shape[1:]
        if None in rest:
            return (input_shape[0], None)
        return (input_shape[0], prod(cast("tuple[int, ...]", rest)))

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Shapes (batch, a, b, …) → (batch, a · b · …)."""
        return without_gaps(x, "x", context.workspace, do).reshape(len(x), -1), x.shape

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The same numbers in the input's shape."""
        return without_gaps(dy, "dy", context.workspace, do).reshape(cache), {}
