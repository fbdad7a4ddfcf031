"""Layers that enlarge, frame or cut sequences and images."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.engine.errors import ShapeError
from studio.engine.layers.base import Gradients, register, shape_text
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.param import REQUIRED, Param
from studio.engine.params import Choice, Integer, Integers
from studio.engine.plan import Do
from studio.engine.sums import add_up
from studio.engine.workspace import Array, Context, Shape

Pairs = tuple[tuple[int, int], ...]


class Margins(Param[Pairs]):
    """How much before and after each of some dimensions: a number, one each, or pairs."""

    numeric = True

    def __init__(self, default: Any = REQUIRED, *, length: int, **common: Any) -> None:
        super().__init__(default, **common)
        self.length = length

    def describe(self) -> str:
        if self.length == 1:
            return "a whole number of at least 0, or a pair of them"
        return f"a whole number of at least 0, {self.length} of them, or {self.length} pairs"

    def convert(self, value: Any) -> Pairs:
        one = Integer(minimum=0)
        if not isinstance(value, list | tuple):
            number = one.convert(value)
            return ((number, number),) * self.length
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        flat = self.length == 1 and not any(isinstance(item, list | tuple) for item in items)
        if flat and len(items) == 2:
            items = [items]
        if len(items) != self.length:
            raise ValueError
        pairs: list[tuple[int, int]] = []
        for item in items:
            if not isinstance(item, list | tuple):
                pairs.append((one.convert(item), one.convert(item)))
                continue
            both: list[Any] = list(item)  # pyright: ignore[reportUnknownArgumentType]
            if len(both) != 2:
                raise ValueError
            pairs.append((one.convert(both[0]), one.convert(both[1])))
        return tuple(pairs)

    def to_config(self, value: Pairs) -> Any:
        pairs = [list(pair) for pair in value]
        return pairs[0] if self.length == 1 else pairs

    def in_words(self, value: Pairs) -> str:
        return ", ".join(f"{a}+{b}" for a, b in value)

    def samples(self) -> tuple[list[Any], list[Any]]:
        good = [1, [2, 1]] if self.length == 1 else [1, [2, 1], [[0, 1], [2, 0]]]
        return good, [-1, "wide", [1, 2, 3, 4], 1.5]


class _Framed(Planned):
    """Common to padding and cropping: a smaller array lies inside a larger one."""

    category = "Reshaping"
    supports_masking = False
    sign = 1

    def margins(self) -> Pairs:
        """Before and after each spatial dimension."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Each spatial dimension grows or shrinks by its margins."""
        self.check_input(input_shape)
        lengths = [
            None if length is None else length + self.sign * sum(pair)
            for length, pair in zip(input_shape[1:-1], self.margins(), strict=True)
        ]
        if any(length is not None and length < 1 for length in lengths):
            raise ShapeError(
                "an input larger than what is cut off", shape_text(input_shape), self.label
            )
        return (input_shape[0], *lengths, input_shape[-1])

    def _inside(self, larger: tuple[int, ...]) -> tuple[slice, ...]:
        return (
            slice(None),
            *(
                slice(before, length - after)
                for length, (before, after) in zip(larger[1:-1], self.margins(), strict=True)
            ),
        )

    def _framed(self, x: Array, name: str, context: Context, do: Do) -> Array:
        lengths = [n + sum(pair) for n, pair in zip(x.shape[1:-1], self.margins(), strict=True)]
        frame = context.workspace.array(name, (len(x), *lengths, x.shape[-1]), x.dtype)
        do(frame.fill, 0)
        do(np.copyto, frame[self._inside(frame.shape)], x)
        return frame


class ZeroPadding(_Framed):
    """Zeros around the input."""

    padding: Any

    def margins(self) -> Pairs:
        """What is added."""
        return self.padding

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The input in a larger array of zeros."""
        self.compute_output_shape(x.shape)
        return self._framed(x, "y", context, do), None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The inner part."""
        return dy[self._inside(dy.shape)], {}


class Cropping(_Framed):
    """The inner part of the input."""

    sign = -1
    cropping: Any

    def margins(self) -> Pairs:
        """What is cut off."""
        return self.cropping

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """The inner part."""
        self.compute_output_shape(x.shape)
        return without_gaps(x[self._inside(x.shape)], "y", context.workspace, do), None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The gradient in a larger array of zeros."""
        return self._framed(dy, "dx", context, do), {}


@register()
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, padded, channels)``.
    Source: https://keras.io/api/layers/reshaping_layers/zero_padding1d/
    """

    input_ranks = (3,)
    help = "Adds zeros before and after a sequence."
    padding = Margins(1, length=1, label="Padding", help="Steps before and after.")


@register()
class ZeroPadding2D(ZeroPadding):
    """Zeros around an image.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels)``. Source: https://keras.io/api/layers/reshaping_layers/zero_padding2d/
    """

    input_ranks = (4,)
    help = "Adds zeros around an image."
    padding = Margins(1, length=2, label="Padding", help="Rows and columns on each side.")


@register()
class Cropping1D(Cropping):
    """A sequence without its first and last steps.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, cropped, channels)``.
    Source: https://keras.io/api/layers/reshaping_layers/cropping1d/
    """

    input_ranks = (3,)
    help = "Cuts off the start and the end of a sequence."
    cropping = Margins(1, length=1, label="Cropping", help="Steps at the start and the end.")


@register()
class Cropping2D(Cropping):
    """An image without its edges.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, rows, columns,
    channels)``. Source: https://keras.io/api/layers/reshaping_layers/cropping2d/
    """

    input_ranks = (4,)
    help = "Cuts off the edges of an image."
    cropping = Margins(
        0, initial=1, length=2, label="Cropping", help="Rows and columns on each side."
    )


@register()
class UpSampling1D(Planned):
    """Every step several times.

    Input shape: ``(batch, steps, channels)``. Output shape: ``(batch, size · steps, channels)``.
    Source: https://keras.io/api/layers/reshaping_layers/up_sampling1d/
    """

    category = "Reshaping"
    supports_masking = False
    input_ranks = (3,)
    help = "Repeats every step of a sequence."
    size = Integer(2, minimum=1, label="Size", help="How often each step comes.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, steps, channels) → (batch, size · steps, channels)."""
        self.check_input(input_shape)
        batch, steps, channels = input_shape
        return (batch, None if steps is None else steps * self.size, channels)

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Each step ``size`` times."""
        batch, steps, channels = x.shape
        y = context.workspace.array("y", (batch, steps * self.size, channels), x.dtype)
        do(np.copyto, y.reshape(batch, steps, self.size, channels), x[:, :, None])
        return y, None

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The sum over the copies of a step."""
        return _sum_of_copies(dy, 1, self.size, context, do), {}


@register()
class UpSampling2D(Planned):
    """An image enlarged: every pixel several times, or bilinear.

    Input shape: ``(batch, height, width, channels)``. Output shape: ``(batch, size₀ · height,
    size₁ · width, channels)``. Source: https://keras.io/api/layers/reshaping_layers/up_sampling2d/
    """

    category = "Reshaping"
    supports_masking = False
    input_ranks = (4,)
    help = "Enlarges an image."
    size = Integers((2, 2), length=2, label="Size", help="How many times as high and as wide.")
    interpolation = Choice("nearest", options=("nearest", "bilinear"), label="Interpolation",
                           help="How pixels between pixels come about.")  # fmt: skip

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, height, width, channels) → (batch, rows, columns, channels)."""
        self.check_input(input_shape)
        lengths = [
            None if n is None else n * k for n, k in zip(input_shape[1:3], self.size, strict=True)
        ]
        return (input_shape[0], *lengths, input_shape[-1])

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """Rows and columns times the matrices that interpolate along them."""
        (batch, height, width, channels), (down, across) = x.shape, self.size
        y = context.workspace.array("y", (batch, height * down, width * across, channels), x.dtype)
        if self.interpolation == "nearest":
            copies = y.reshape(batch, height, down, width, across, channels)
            do(np.copyto, copies, x[:, :, None, :, None])
            return y, None
        rows, columns = _bilinear(height, down, x.dtype), _bilinear(width, across, x.dtype)
        do(np.einsum, "ri,bijc,sj->brsc", rows, x, columns, optimize=True, out=y)
        return y, (x.shape, rows, columns)

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """The same the other way round."""
        if cache is None:
            dy = _sum_of_copies(dy, 1, self.size[0], context, do)
            return _sum_of_copies(dy, 2, self.size[1], context, do), {}
        shape, rows, columns = cache
        dx = context.workspace.array("dx", shape, dy.dtype)
        do(np.einsum, "ri,brsc,sj->bijc", rows, dy, columns, optimize=True, out=dx)
        return dx, {}


def _sum_of_copies(dy: Array, axis: int, times: int, context: Context, do: Do) -> Array:
    """The gradient of each number along an axis, of which every one came several times."""
    dy = without_gaps(dy, f"dy {axis}", context.workspace, do)
    copies = dy.reshape(*dy.shape[:axis], -1, times, *dy.shape[axis + 1 :])
    apart = [*np.moveaxis(copies, axis + 1, 0)]
    total = context.workspace.array(f"sum {axis}", apart[0].shape, dy.dtype)
    add_up(apart, total, do)
    return total


def _bilinear(length: int, times: int, dtype: Any) -> Array:
    """The matrix (length · times, length) that interpolates between the centres of pixels."""
    place = (np.arange(length * times) + 0.5) / times - 0.5
    low = np.floor(place).astype(int)
    share = place - low
    matrix = np.zeros((length * times, length), dtype)
    rows = np.arange(length * times)
    np.add.at(matrix, (rows, np.clip(low, 0, length - 1)), 1 - share)
    np.add.at(matrix, (rows, np.clip(low + 1, 0, length - 1)), share)
    return matrix
