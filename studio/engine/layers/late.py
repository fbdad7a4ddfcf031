"""What is left to be done with the largest numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from studio.engine.activations import Activation, Linear
from studio.engine.layers.base import Layer
from studio.engine.layers.columns import line_of, matrix
from studio.engine.layers.supply import Asking, Supply
from studio.engine.plan import Do
from studio.engine.sums import add_sum_of_rows
from studio.engine.workspace import Array, Context, Workspace


@dataclass(frozen=True)
class LateEnd:
    """How a layer's output ends, a bias and an activation, where the next picks the largest of it.

    Neither changes which is the largest, so that those picked get what they would have got, for a
    fourth of the work where windows are 2×2. Rounded sums may be equal where numbers were not: then
    the gradient goes to the larger of these.

    Attributes:
        layer: whose end it is.
        context: that of the layer.
        activation: its activation.
        has_bias: whether a bias is left out as well.
    """

    layer: Layer
    context: Context
    activation: Activation
    has_bias: bool

    @classmethod
    def of(cls, layer: Layer, context: Context, following: Layer) -> Self | None:
        """The end of a layer, which from now on leaves it out; None if that can't be."""
        activation = layer.output_activation
        if activation is None or not activation.keeps_largest:
            return None
        if layer.supplies and isinstance(following, Asking):
            context.asking = following
        has_bias = layer.adds_bias
        if not has_bias and isinstance(activation, Linear) and context.asking is None:
            return None
        context.linear_output, context.leaves_bias = True, has_bias
        return cls(layer, context, activation, has_bias)

    def take_supply(self) -> Supply | None:
        """What gives its numbers, where the next layer asks for them."""
        found, self.context.supply = self.context.supply, None
        return found

    def lay(self, z: Array, space: Workspace, do: Do) -> None:
        """y = activation(z + bias), in place; for some samples, (…, channels) without gaps."""
        if self.has_bias:
            line = line_of(self.layer["bias"], z.shape[-2:], space, do)
            lines = z.reshape(-1, *line.shape)
            do(np.add, lines, line, out=lines)
        if not isinstance(self.activation, Linear):
            self.activation.lay(z, z, do)

    def lay_start(self, do: Do) -> None:
        """Begin the gradient of the bias, which :meth:`lay_back` adds to."""
        if self.has_bias:
            do(self._bias_gradient().fill, 0)

    def lay_back(self, dy: Array, y: Array, space: Workspace, do: Do) -> Array:
        """dz = dy · activation'(z), for some samples; Σ dz is added to the bias' gradient."""
        dz = dy
        if not isinstance(self.activation, Linear):
            dz = space.array("late dz", dy.shape, dy.dtype)
            self.activation.lay_back(dy, y, dz, space, do)
        if self.has_bias:
            rows = matrix(dz, space, do, "late rows")
            add_sum_of_rows(rows, self._bias_gradient(), space, do)
        return dz

    def _bias_gradient(self) -> Array:
        return self.context.gradient("bias", self.layer["bias"])
