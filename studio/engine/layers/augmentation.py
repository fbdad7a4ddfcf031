"""Layers that change images at random while training, so that a network sees more of them.

Each draws its numbers per sample, and outside training hands its input on.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from studio.engine.layers.base import Gradients, Layer, register
from studio.engine.layers.warp import spread_back, warp
from studio.engine.param import REQUIRED, Param
from studio.engine.params import Choice, Integer, Real, Reals
from studio.engine.workspace import Array, Context

Range = tuple[float, float]
FILLS = ("reflect", "wrap", "constant", "nearest")


class Between(Param[Range]):
    """A range to draw from: a number for as much either way, or its two ends."""

    numeric = True

    def __init__(self, default: Any = REQUIRED, *, low: float = -np.inf, **common: Any) -> None:
        super().__init__(default, **common)
        self.low = low

    def describe(self) -> str:
        return "a number of at least 0, or the two ends of a range"

    def convert(self, value: Any) -> Range:
        if isinstance(value, numbers.Real):
            amount = Real(minimum=0).convert(value)
            return (max(-amount, self.low), amount)
        low, high = Reals(minimum=self.low if np.isfinite(self.low) else None).convert(value)
        if low > high:
            raise ValueError
        return (low, high)

    def to_config(self, value: Range) -> Any:
        return None if value is None else list(value)  # pyright: ignore[reportUnnecessaryComparison]

    def in_words(self, value: Range) -> str:
        return f"{self.label.lower()} {value[0]:g} to {value[1]:g}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        return [0.1, [-0.1, 0.2]], ["some", [1], [0.5, 0.1], -0.5]


class Sides(Param[Range]):
    """How far below and above 1: a number for both, or two, the smaller below (as in Keras)."""

    numeric = True

    def describe(self) -> str:
        return "a number from 0 to 1, or two"

    def convert(self, value: Any) -> Range:
        pair = [value, value] if isinstance(value, numbers.Real) else value
        below, above = sorted(Reals(minimum=0, maximum=1).convert(pair))
        return (below, above)

    def to_config(self, value: Range) -> Any:
        return list(value)

    def in_words(self, value: Range) -> str:
        return f"{self.label.lower()} {1 - value[0]:g} to {1 + value[1]:g}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        return [0.1, [0.1, 0.2]], ["some", [1], -0.5, [0.1, 1.5]]


class RandomImage(Layer):
    """What they share."""

    category = "Preprocessing"
    supports_masking = False
    input_ranks = (4,)
    seed: Any


class Warped(RandomImage):
    """Layers that move pixels: each sample has a matrix that leads from the output to the input."""

    fill_mode: Any
    interpolation: Any
    fill_value: Any

    def matrices(self, x: Array, random: np.random.Generator) -> Array:
        """(batch, 2, 3): from (row, column, 1) of the output to (row, column) of the input."""
        raise NotImplementedError

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The warped images in training, else the input itself."""
        if not context.training:
            return x, None
        matrices = self.matrices(x, context.random(f"{type(self).__name__} {self.seed}"))
        return warp(x, matrices, self.fill_mode, self.interpolation, self.fill_value)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """Every gradient goes to the pixels that its pixel was made of."""
        return (dy if cache is None else spread_back(dy, cache)), {}


def _around_centre(x: Array, turned: Array) -> Array:
    """Matrices (batch, 2, 2) applied around the middle of the image."""
    middle = (np.array(x.shape[1:3]) - 1) / 2
    shift = middle - turned @ middle
    return np.concatenate([turned, shift[..., None]], axis=-1)


@register()
class RandomFlip(RandomImage):
    """Mirrors images at random.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_flip/
    """

    help = "Mirrors images at random while training."

    mode = Choice("horizontal_and_vertical",
                  options=("horizontal", "vertical", "horizontal_and_vertical"),
                  initial="horizontal", label="Mode", help="In which direction.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Each image as it is or mirrored."""
        if not context.training:
            return x, None
        random = context.random(f"flip {self.seed}")
        flips = [
            (axis, random.random(len(x)) < 0.5)
            for axis, word in ((1, "horizontal"), (0, "vertical"))
            if word in self.mode
        ]
        return self._flipped(x, flips), flips

    def _flipped(self, x: Array, flips: list[tuple[int, Array]]) -> Array:
        y = x.copy()
        for axis, chosen in flips:
            y[chosen] = np.flip(y[chosen], axis=axis + 1)
        return y

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """The same mirrors."""
        return (dy if cache is None else self._flipped(dy, cache)), {}


@register()
class RandomTranslation(Warped):
    """Shifts images by a random part of their size.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_translation/
    """

    help = "Shifts images at random while training."

    height_factor = Between(initial=0.1, label="Height", help="Share of the height.")
    width_factor = Between(initial=0.1, label="Width", help="Share of the width.")
    fill_mode = Choice("reflect", options=FILLS, advanced=True, help="What lies outside.")
    interpolation = Choice("bilinear", options=("bilinear", "nearest"), advanced=True,
                           help="How pixels between pixels come about.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")
    fill_value = Real(0.0, advanced=True, help="The number outside with fill mode constant.")

    def matrices(self, x: Array, random: np.random.Generator) -> Array:
        """A shift per sample."""
        ranges = (self.height_factor, self.width_factor)
        shifts = [
            random.uniform(*ends, len(x)) * size
            for ends, size in zip(ranges, x.shape[1:3], strict=True)
        ]
        found = np.zeros((len(x), 2, 3))
        found[:, 0, 0] = found[:, 1, 1] = 1
        found[:, :, 2] = -np.stack(shifts, axis=-1)
        return found


@register()
class RandomRotation(Warped):
    """Turns images by a random part of a full turn.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_rotation/
    """

    help = "Turns images at random while training."

    factor = Between(initial=0.05, label="Turn", help="Share of a full turn.")
    fill_mode = Choice("reflect", options=FILLS, advanced=True, help="What lies outside.")
    interpolation = Choice("bilinear", options=("bilinear", "nearest"), advanced=True,
                           help="How pixels between pixels come about.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")
    fill_value = Real(0.0, advanced=True, help="The number outside with fill mode constant.")

    def matrices(self, x: Array, random: np.random.Generator) -> Array:
        """A turn per sample."""
        angle = random.uniform(*self.factor, len(x)) * 2 * np.pi
        cos, sin = np.cos(angle), np.sin(angle)
        return _around_centre(x, np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], 1))


@register()
class RandomZoom(Warped):
    """Enlarges or shrinks images; a factor of 0.2 shows a fifth more.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_zoom/
    """

    help = "Enlarges or shrinks images at random while training."

    height_factor = Between(low=-0.99, initial=0.1, label="Height", help="Share of the height.")
    width_factor = Between(None, low=-0.99, optional=True, label="Width",
                           help="Share of the width; as the height where not given.")  # fmt: skip
    fill_mode = Choice("reflect", options=FILLS, advanced=True, help="What lies outside.")
    interpolation = Choice("bilinear", options=("bilinear", "nearest"), advanced=True,
                           help="How pixels between pixels come about.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")
    fill_value = Real(0.0, advanced=True, help="The number outside with fill mode constant.")

    def matrices(self, x: Array, random: np.random.Generator) -> Array:
        """A factor per sample, or one per direction."""
        high = 1 + random.uniform(*self.height_factor, len(x))
        wide = high
        if self.width_factor is not None:  # pyright: ignore[reportUnnecessaryComparison]
            wide = 1 + random.uniform(*self.width_factor, len(x))
        zero = np.zeros_like(high)
        return _around_centre(
            x, np.stack([np.stack([high, zero], -1), np.stack([zero, wide], -1)], 1)
        )


@register()
class RandomContrast(RandomImage):
    """y = mean + (x - mean) · factor, the mean per channel of each image, cut to the value range.

    Input shape: ``(batch, height, width, channels)``. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_contrast/
    """

    help = "Changes the contrast of images at random while training."

    factor = Sides(initial=0.2, label="Factor", help="By how much less or more.")
    value_range = Between((0.0, 255.0), initial=(0.0, 1.0), label="Value range",
                          help="The smallest and the largest value of a pixel.")  # fmt: skip
    seed = Integer(None, minimum=0, optional=True, advanced=True, help="Fixes the drawn numbers.")

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """A factor per sample."""
        if not context.training:
            return x, None
        random = context.random(f"contrast {self.seed}")
        below, above = self.factor
        drawn = random.uniform(1 - below, 1 + above, (len(x), 1, 1, 1))
        factor = drawn.astype(x.dtype)
        mean = x.mean(axis=(1, 2), keepdims=True)
        y = mean + (x - mean) * factor
        low, high = (x.dtype.type(end) for end in self.value_range)
        inside = (y >= low) & (y <= high)
        return np.clip(y, low, high), (factor, inside)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array, Gradients]:
        """dy · factor, and its mean the other way, where nothing was cut."""
        if cache is None:
            return dy, {}
        factor, inside = cache
        dy = dy * inside
        return dy * factor + dy.mean(axis=(1, 2), keepdims=True) * (1 - factor), {}
