"""Whole numbers as learned rows of numbers, and masks over steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import DataError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, WeightSpec, register
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned, multiplied
from studio.engine.params import Boolean, Integer, Real
from studio.engine.plan import Do
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


@register()
class Embedding(Planned):
    """y = embeddings[x]: each whole number stands for a learned row.

    Input shape: ``(batch, …)`` of whole numbers from 0 to below ``input_dim``. Output shape:
    ``(batch, …, output_dim)``. With ``mask_zero`` steps with a 0 do not count in layers above.
    Source: https://keras.io/api/layers/core_layers/embedding/
    """

    category = "Core"
    reads_integers = True
    help = "Turns whole numbers, such as words by number, into learned rows of numbers."

    input_dim = Integer(minimum=1, initial=1000, label="Input values", help="How many there are.")
    output_dim = Integer(minimum=1, initial=16, label="Output size", help="Numbers per value.")
    embeddings_initializer = Named(initializers, "uniform", advanced=True)
    embeddings_regularizer = Named(regularizers, None, optional=True, help="Keeps numbers small.")
    embeddings_constraint = Named(constraints, None, optional=True, advanced=True)
    mask_zero = Boolean(False, label="0 is padding", help="Whether steps with a 0 do not count.")

    @property
    def makes_mask(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it starts a mask."""
        return self.mask_zero

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, …) → (batch, …, output_dim)."""
        self.check_input(input_shape)
        return (*input_shape, self.output_dim)

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Embeddings (input_dim, output_dim)."""
        shape = (self.input_dim, self.output_dim)
        return (
            WeightSpec(
                "embeddings",
                shape,
                self.embeddings_initializer,
                self.embeddings_regularizer,
                self.embeddings_constraint,
            ),
        )

    def work(self) -> float:
        """A look-up costs as much as the row that it copies."""
        return float(self.output_dim)

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The rows of the table."""
        rows = context.workspace.array("rows", x.shape, np.intp)
        do(np.copyto, rows, x, casting="unsafe")
        do(self._check, x, rows)
        table = self["embeddings"]
        y = context.workspace.array("y", (*x.shape, self.output_dim), table.dtype)
        do(np.take, table, rows, axis=0, out=y, mode="clip")
        return y, rows

    def _check(self, x: Array, rows: Array) -> None:
        """Find out whether all numbers have a row.

        Raises:
            DataError: if a number is not whole, or has no row.
        """
        wrong = (rows < 0) | (rows >= self.input_dim)
        if x.dtype.kind == "f":
            wrong |= rows != x
        if wrong.any():
            wanted = f"whole numbers from 0 to {self.input_dim - 1}"
            advice = "input_dim must be larger than all numbers in the data."
            raise DataError(wanted, f"{x[wrong][0]}", self.label, advice)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """Each row adds up the gradients of its places; whole numbers have none."""
        rows, width, space = cache.reshape(-1, 1), self.output_dim, context.workspace
        gradient = context.gradient("embeddings", self["embeddings"])
        do(gradient.fill, 0)
        # Number by number: np.add.at is several times as fast along one dimension.
        into, arriving = gradient.reshape(-1), without_gaps(dy, "dy", space, do).reshape(-1)
        if width % 2 == 0:
            # Or by twos, as complex numbers, which takes hardly longer than one.
            both = np.result_type(into, np.complex64)
            into, arriving, width = into.view(both), arriving.view(both), width // 2
        starts = space.array("starts", rows.shape, np.intp)
        places = space.array("places", (len(rows), width), np.intp)
        do(np.multiply, rows, width, out=starts)
        do(np.add, starts, np.arange(width), out=places)
        do(np.add.at, into, places.reshape(-1), arriving)
        return None, {"embeddings": gradient}

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """Which steps are not 0."""
        return x != 0 if self.mask_zero else None


@register()
class Masking(Planned):
    """Steps of which all numbers are ``mask_value`` do not count in layers above; they become 0.

    Input shape: ``(batch, steps, features)``. Output shape: the same.
    Source: https://keras.io/api/layers/core_layers/masking/
    """

    category = "Core"
    makes_mask = True
    input_ranks = (3,)
    help = "Marks steps of a sequence that are only padding."

    mask_value = Real(0.0, label="Mask value", help="The number that fills such steps.")

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """Which steps have another number."""
        return (x != self.mask_value).any(axis=-1)

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The input, zero at steps that do not count."""
        space = context.workspace
        differs = space.array("differs", x.shape, np.bool_)
        counted = space.array("counted", (*x.shape[:-1], 1), np.bool_)
        do(np.not_equal, x, self.mask_value, out=differs)
        do(np.logical_or.reduce, differs, axis=-1, keepdims=True, out=counted)
        return multiplied(x, counted, "y", context, do), counted

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The gradient of the steps that count."""
        return multiplied(dy, cache, "dx", context, do), {}
