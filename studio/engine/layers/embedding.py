"""Whole numbers as learned rows of numbers, and masks over steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.constraints import constraints
from studio.engine.errors import DataError
from studio.engine.initializers import initializers
from studio.engine.layers.base import Gradients, Layer, WeightSpec, register
from studio.engine.params import Boolean, Integer, Real
from studio.engine.registry import Named
from studio.engine.regularizers import regularizers
from studio.engine.workspace import Array, Context, Shape


@register()
class Embedding(Layer):
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

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The rows of the table.

        Raises:
            DataError: if a number is not whole, or has no row.
        """
        rows = context.workspace.array("rows", x.shape, np.intp)
        np.copyto(rows, x, casting="unsafe")
        self._check(x, rows)
        table = self["embeddings"]
        y = context.workspace.array("y", (*x.shape, self.output_dim), table.dtype)
        return np.take(table, rows, axis=0, out=y, mode="clip"), rows

    def _check(self, x: Array, rows: Array) -> None:
        wrong = (rows < 0) | (rows >= self.input_dim)
        if x.dtype.kind == "f":
            wrong |= rows != x
        if wrong.any():
            wanted = f"whole numbers from 0 to {self.input_dim - 1}"
            advice = "input_dim must be larger than all numbers in the data."
            raise DataError(wanted, f"{x[wrong][0]}", self.label, advice)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """Each row adds up the gradients of its places; whole numbers have none."""
        rows: Array = cache.ravel()
        gradient = context.gradient("embeddings", self["embeddings"])
        gradient.fill(0)
        # Number by number: np.add.at is several times as fast along one dimension.
        places = context.workspace.array("places", (rows.size, self.output_dim), np.intp)
        np.add(rows[:, None] * self.output_dim, np.arange(self.output_dim), out=places)
        np.add.at(gradient.reshape(-1), places.reshape(-1), dy.reshape(-1))
        return None, {"embeddings": gradient}

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """Which steps are not 0."""
        return x != 0 if self.mask_zero else None


@register()
class Masking(Layer):
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

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The input, zero at steps that do not count."""
        counted = (x != self.mask_value).any(axis=-1, keepdims=True)
        return x * counted, counted

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """The gradient of the steps that count."""
        return dy * cache, {}
