"""Layers that only rearrange their input."""

from __future__ import annotations

from math import prod
from typing import Any, cast

import numpy as np

from studio.engine.errors import ParameterError, ShapeError, dimensions
from studio.engine.layers.base import Gradients, register, shape_text
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.flatten import Relaid
from studio.engine.layers.planned import Planned
from studio.engine.params import Integer, Integers
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape


@register()
class Reshape(Relaid):
    """The same numbers in another shape; one size may be -1, which is worked out.

    Input shape: any. Output shape: ``(batch, *target_shape)``.
    Source: https://keras.io/api/layers/reshaping_layers/reshape/
    """

    category = "Reshaping"
    help = "Lays out the numbers of a sample in another shape, such as an image as a sequence."

    target_shape = Integers(minimum=-1, initial=(-1, 1), label="Target shape",
                            help="The sizes per sample; -1 for what is left.")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target = self.target_shape
        if 0 in target or target.count(-1) > 1 or not target:
            raise ParameterError(
                "sizes of at least 1, one of them perhaps -1",
                str(target),
                f"{self.label} target_shape",
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …) → (batch, *target_shape)."""
        self.check_input(input_shape)
        target, rest = self.target_shape, input_shape[1:]
        if None in rest:
            return (input_shape[0], *(None if size == -1 else size for size in target))
        size = prod(cast("tuple[int, ...]", rest))
        fixed = prod(part for part in target if part != -1)
        if size % fixed if -1 in target else size != fixed:
            raise ShapeError(
                f"an input of {fixed} numbers{' times something' if -1 in target else ''}",
                f"{size}: {shape_text(input_shape)}", self.label,
            )  # fmt: skip
        return (input_shape[0], *(size // fixed if part == -1 else part for part in target))


@register()
class Permute(Planned):
    """The dimensions in another order, counted from 1 without the batch.

    Input shape: any. Output shape: the sizes in the new order.
    Source: https://keras.io/api/layers/reshaping_layers/permute/
    """

    category = "Reshaping"
    supports_masking = False
    help = "Exchanges dimensions, such as rows and columns."

    dims = Integers(initial=(2, 1), label="Dimensions", help="Their new order: 2, 1 exchanges two.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            wanted = "each number from 1 up to how many there are, once"
            raise ParameterError(wanted, str(self.dims), f"{self.label} dims")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The sizes in the new order."""
        if len(input_shape) != len(self.dims) + 1:
            found = f"{len(input_shape) - 1}: {shape_text(input_shape)}"
            raise ShapeError(f"an input with {dimensions(len(self.dims))}", found, self.label)
        return (input_shape[0], *(input_shape[dim] for dim in self.dims))

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The dimensions in the new order."""
        self.compute_output_shape(x.shape)
        return without_gaps(x.transpose(0, *self.dims), "y", context.workspace, do), None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The dimensions in the old order."""
        order = np.argsort((0, *self.dims))
        return without_gaps(dy.transpose(order), "dx", context.workspace, do), {}


@register()
class RepeatVector(Planned):
    """A row of numbers as every step of a sequence.

    Input shape: ``(batch, features)``. Output shape: ``(batch, n, features)``.
    Source: https://keras.io/api/layers/reshaping_layers/repeat_vector/
    """

    category = "Reshaping"
    supports_masking = False
    input_ranks = (2,)
    help = "Repeats a row of numbers as the steps of a sequence."

    n = Integer(minimum=1, initial=4, label="Times", help="How many steps there will be.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, features) → (batch, n, features)."""
        self.check_input(input_shape)
        return (input_shape[0], self.n, input_shape[1])

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Each row ``n`` times."""
        y = context.workspace.array("y", (len(x), self.n, x.shape[1]), x.dtype)
        do(np.copyto, y, x[:, None])
        return y, None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The sum over the steps."""
        dx = context.workspace.array("dx", (len(dy), dy.shape[2]), dy.dtype)
        do(np.add.reduce, dy, axis=1, out=dx)
        return dx, {}
