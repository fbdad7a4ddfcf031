"""Layers that drop values at random while training."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.layers.base import Gradients, Layer, register
from studio.engine.params import Integer, Real
from studio.engine.workspace import Array, Context


@register()
class Dropout(Layer):
    """Sets a fraction ``rate`` of the inputs to 0 and scales the others by 1 / (1 - rate).

    Input shape: any. Output shape: the same.
    Source: Srivastava et al., 2014; https://keras.io/api/layers/regularization_layers/dropout/
    """

    category = "Regularization"
    help = "Sets random values to zero while training, against overfitting."

    rate = Real(minimum=0, maximum=1, initial=0.5,
                label="Rate", help="The fraction of values set to zero.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The input itself outside training."""
        if not context.training or self.rate == 0:
            return x, None
        drawn = context.workspace.array("drawn", x.shape, np.float32)
        context.random(f"dropout {self.seed}").random(dtype=np.float32, out=drawn)
        scale = 0.0 if self.rate == 1 else 1 / (1 - self.rate)
        keep = context.workspace.array("keep", x.shape, x.dtype)
        np.greater_equal(drawn, np.float32(self.rate), out=keep, casting="unsafe")
        keep *= x.dtype.type(scale)
        y = context.workspace.array("y", x.shape, x.dtype)
        return np.multiply(x, keep, out=y), keep

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """The gradient where values were kept, with the same scale."""
        return (dy if cache is None else dy * cache), {}
