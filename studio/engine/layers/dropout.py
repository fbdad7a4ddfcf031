"""Layers that drop or disturb values at random while training."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from studio.engine.errors import ShapeError, dimensions
from studio.engine.layers.base import Gradients, register
from studio.engine.layers.planned import Planned, multiplied
from studio.engine.params import Integer, Integers, Real
from studio.engine.plan import Do, ahead
from studio.engine.workspace import Array, Context, Shape

MOST = 2**64 - 1
"""The largest number of 64 bits."""


class Dropping(Planned):
    """What the dropping layers share: values are multiplied with what is drawn."""

    category = "Regularization"
    rate: Any
    seed: Any

    def together(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what is drawn: 1 along axes whose values share a fate."""
        return shape

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The input itself outside training."""
        if not context.training or self.rate == 0:
            return x, None
        keep = context.workspace.array("keep", self.together(x.shape), x.dtype)
        ahead(do, self._draw, keep, context)
        return multiplied(x, keep, "y", context, do), keep

    def _draw(self, keep: Array, context: Context) -> None:
        """0 for what is dropped, else what makes up for it."""
        # 16 random bits are enough to tell, and drawn much faster than a number of 32.
        random = context.random(f"dropout {self.seed}")
        words = random.integers(MOST, size=-(-keep.size // 4), dtype=np.uint64, endpoint=True)
        drawn = words.view(np.uint16)[: keep.size].reshape(keep.shape)
        scale = 0.0 if self.rate == 1 else 1 / (1 - self.rate)
        np.greater_equal(drawn, round(self.rate * 2**16), out=keep, casting="unsafe")
        keep *= keep.dtype.type(scale)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The gradient where values were kept, with the same scale."""
        return (dy if cache is None else multiplied(dy, cache, "dx", context, do)), {}


@register()
class Dropout(Dropping):
    """Sets a fraction ``rate`` of the inputs to 0 and scales the others by 1 / (1 - rate).

    Input shape: any. Output shape: the same.
    Source: Srivastava et al., 2014; https://keras.io/api/layers/regularization_layers/dropout/
    """

    help = "Sets random values to zero while training, against overfitting."

    rate = Real(minimum=0, maximum=1, initial=0.5, label="Rate",
                help="The fraction of values set to zero.")  # fmt: skip
    noise_shape = Integers(None, gaps=True, optional=True, advanced=True,
                           help="Sizes of what is drawn: 1 where values share a fate.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        if self.noise_shape is not None and len(self.noise_shape) != len(input_shape):  # pyright: ignore[reportUnnecessaryComparison]
            wanted = f"an input of {dimensions(len(self.noise_shape) - 1)}"
            raise ShapeError(wanted, f"{len(input_shape) - 1}", self.label)
        return input_shape

    def together(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The input's shape, or ``noise_shape``, whose first size stands for the batch."""
        if self.noise_shape is None:  # pyright: ignore[reportUnnecessaryComparison]
            return shape
        return tuple(
            1 if size == 1 else real for size, real in zip(self.noise_shape, shape, strict=True)
        )


class SpatialDropout(Dropping):
    """Drops whole channels."""

    def together(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One draw per sample and channel."""
        return (shape[0], *(1,) * (len(shape) - 2), shape[-1])


@register()
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/regularization_layers/spatial_dropout1d/
    """

    input_ranks = (3,)
    help = "Sets random channels of a sequence to zero while training."

    rate = Real(minimum=0, maximum=1, initial=0.5, label="Rate",
                help="The fraction of channels set to zero.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")


@register()
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: Tompson et al., 2014;
    https://keras.io/api/layers/regularization_layers/spatial_dropout2d/
    """

    input_ranks = (4,)
    help = "Sets random channels of an image to zero while training."

    rate = Real(minimum=0, maximum=1, initial=0.5, label="Rate",
                help="The fraction of channels set to zero.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")


@register()
class GaussianNoise(Planned):
    """y = x + noise of mean 0 and deviation ``stddev``, while training.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/regularization_layers/gaussian_noise/
    """

    category = "Regularization"
    help = "Adds noise while training, against overfitting."

    stddev = Real(minimum=0, initial=0.1, label="Deviation", help="How strong the noise is.")
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The input itself outside training."""
        if not context.training or self.stddev == 0:
            return x, None
        y = context.workspace.array("y", x.shape, x.dtype)
        do(_draw_noise, y, self.stddev, f"noise {self.seed}", context)
        do(np.add, x, y, out=y)
        return y, None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The gradient itself."""
        return dy, {}


@register()
class GaussianDropout(Dropping):
    """y = x · noise of mean 1 and deviation sqrt(rate / (1 - rate)), while training.

    Input shape: any. Output shape: the same. Source: Srivastava et al., 2014;
    https://keras.io/api/layers/regularization_layers/gaussian_dropout/
    """

    help = "Multiplies with noise while training, against overfitting."

    rate = Real(minimum=0, below=1, initial=0.2, label="Rate",
                help="As strong as a dropout of this rate.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def _draw(self, keep: Array, context: Context) -> None:
        """Noise of mean 1."""
        _draw_noise(keep, sqrt(self.rate / (1 - self.rate)), f"noise {self.seed}", context)
        keep += 1


def _draw_noise(noise: Array, deviation: float, purpose: str, context: Context) -> None:
    drawn = context.random(purpose).standard_normal(noise.shape, np.float32)
    np.multiply(drawn, noise.dtype.type(deviation), out=noise)
