"""Layers that scale data, so that a saved model takes them as they are."""

from __future__ import annotations

import numbers
from typing import Any, cast

import numpy as np

from studio.engine.errors import DataError, ParameterError, ShapeError
from studio.engine.initializers import Ones, Zeros
from studio.engine.layers.base import Gradients, WeightSpec, known, register, shape_text
from studio.engine.layers.planned import Planned, multiplied
from studio.engine.param import REQUIRED, Param
from studio.engine.params import Boolean, Integers, Real
from studio.engine.plan import Do
from studio.engine.workspace import Array, Context, Shape

Numbers = float | tuple[Any, ...]


class NumberOrNumbers(Param[Numbers]):
    """A finite number, or an array of them as (nested) lists."""

    numeric = True

    def __init__(
        self, default: Any = REQUIRED, *, minimum: float | None = None, **common: Any
    ) -> None:
        super().__init__(default, **common)
        self.minimum = minimum

    def describe(self) -> str:
        low = "" if self.minimum is None else f" of at least {self.minimum:g}"
        return f"a number{low}, or a list of them"

    def convert(self, value: Any) -> Numbers:
        if isinstance(value, numbers.Real):
            return Real(minimum=self.minimum).convert(value)
        if not isinstance(value, list | tuple | np.ndarray):
            raise TypeError
        array = np.asarray(value, np.float64)
        low = -np.inf if self.minimum is None else self.minimum
        if not array.size or not np.isfinite(array).all() or (array < low).any():
            raise ValueError
        return cast("Numbers", _nested(array.tolist()))

    def to_config(self, value: Numbers) -> Any:
        return _lists(value)

    def samples(self) -> tuple[list[Any], list[Any]]:
        return [0.5, 2.0], ["half", [float("nan")], True]


def _nested(value: Any) -> Any:
    return tuple(_nested(item) for item in value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownVariableType]


def _check_fit(layer: Planned, input_shape: Shape, **values: Numbers) -> None:
    """See to it that numbers fit an input without making it larger.

    Raises:
        ShapeError: if they are more, or fewer but not one, than the input has along an axis.
    """
    for name, value in values.items():
        sizes = np.shape(value)
        along = input_shape[len(input_shape) - len(sizes) :]
        if len(sizes) > len(input_shape) or any(
            size != 1 and has not in (None, size) for size, has in zip(sizes, along, strict=True)
        ):
            wanted = f"one number, or as many as an input of {shape_text(input_shape)} has"
            found = " × ".join(str(size) for size in sizes)
            raise ShapeError(wanted, found, f"{layer.label} {name}")


@register()
class Rescaling(Planned):
    """y = x · scale + offset.

    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/
    """

    category = "Preprocessing"
    help = "Multiplies by a number and adds one, such as 1/255 for pixels."

    scale = NumberOrNumbers(initial=1.0, label="Scale", help="What numbers are multiplied by.")
    offset = NumberOrNumbers(0.0, label="Offset", help="What is added then.")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        _check_fit(self, input_shape, scale=self.scale, offset=self.offset)
        return input_shape

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """x · scale + offset."""
        scale, offset = (np.asarray(value, x.dtype) for value in (self.scale, self.offset))
        y = context.workspace.array("y", x.shape, x.dtype)
        do(np.multiply, x, scale, out=y)
        do(np.add, y, offset, out=y)
        return y, scale

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dy · scale."""
        return multiplied(dy, cache, "dx", context, do), {}


@register()
class Normalization(Planned):
    """y = (x - mean) / sqrt(variance), or the way back with ``invert``.

    Mean and variance along ``axis`` are given, or learned from data by :meth:`adapt`.
    Input shape: any. Output shape: the same.
    Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
    """

    category = "Preprocessing"
    help = "Subtracts a mean and divides by a deviation, given or learned from data."

    axis = Integers((-1,), minimum=None, optional=True, advanced=True,
                    help="Axes with a mean each; None for a single one.")  # fmt: skip
    mean = NumberOrNumbers(None, optional=True, initial=0.0, label="Mean",
                           help="What is subtracted.")  # fmt: skip
    variance = NumberOrNumbers(None, minimum=0, optional=True, initial=1.0, label="Variance",
                               help="The square of what is divided by.")  # fmt: skip
    invert = Boolean(False, advanced=True, help="Whether it undoes a normalization.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if isinstance(kwargs.get("axis"), int):
            kwargs["axis"] = (kwargs["axis"],)
        elif args and isinstance(args[0], int):
            args = ((args[0],), *args[1:])
        super().__init__(*args, **kwargs)
        if len(set(self.axis or ())) < len(self.axis or ()):
            raise ParameterError("each axis once", str(self.axis), f"{self.label} axis")
        if (self.mean is None) != (self.variance is None):  # pyright: ignore[reportUnnecessaryComparison]
            raise ParameterError("both mean and variance, or neither", "one of them", self.label)

    @property
    def given(self) -> bool:
        """Whether mean and variance are arguments and not learned."""
        return self.mean is not None  # pyright: ignore[reportUnnecessaryComparison]

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = tuple(axis + rank if axis < 0 else axis for axis in self.axis or ())
        if any(not 0 <= axis < rank for axis in axes):
            raise ShapeError(f"an input that has the axes {self.axis}", f"{rank} axes", self.label)
        return axes

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The input's shape."""
        self.check_input(input_shape)
        self._axes(len(input_shape))
        if self.given:
            _check_fit(self, input_shape, mean=self.mean, variance=self.variance)
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Mean, variance and a count where they are learned from data; none of them trained."""
        if self.given:
            return ()
        axes = self._axes(len(input_shape))
        shape = tuple(known(input_shape[axis], self, "size") for axis in axes)
        return (
            WeightSpec("mean", shape, Zeros(), trainable=False),
            WeightSpec("variance", shape, Ones(), trainable=False),
            WeightSpec("count", (), Zeros(), trainable=False),
        )

    def adapt(self, data: Any) -> None:
        """Learn mean and variance.

        Args:
            data: samples as the layer will see them.

        Raises:
            DataError: if mean and variance were given.
        """
        if self.given:
            raise DataError("a layer without a given mean", "a given one", self.label)
        x = np.asarray(data, np.float64)
        x = x[:, None] if x.ndim == 1 else x
        if not self.built:
            self.build((None, *x.shape[1:]))
        kept = self._axes(x.ndim)
        others = tuple(axis for axis in range(x.ndim) if axis not in kept)
        self["mean"][...] = x.mean(axis=others)
        self["variance"][...] = x.var(axis=others)

    def _moments(self, x: Array, context: Context, do: Do) -> tuple[Array, Array]:
        axes = self._axes(x.ndim)
        shape = tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))
        if self.given:
            mean, variance = (np.asarray(value, x.dtype) for value in (self.mean, self.variance))
        else:
            mean, variance = self["mean"].reshape(shape), self["variance"].reshape(shape)
        deviation = context.workspace.array("deviation", variance.shape, x.dtype)
        do(np.sqrt, variance, out=deviation)
        do(np.maximum, deviation, x.dtype.type(1e-7), out=deviation)
        return mean, deviation

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """(x - mean) / deviation."""
        mean, deviation = self._moments(x, context, do)
        y = context.workspace.array("y", x.shape, x.dtype)
        if self.invert:
            do(np.multiply, x, deviation, out=y)
            do(np.add, y, mean, out=y)
        else:
            do(np.subtract, x, mean, out=y)
            do(np.divide, y, deviation, out=y)
        return y, deviation

    def lay_back(self, dy: Array, cache: Any, context: Context, do: Do) -> tuple[Array, Gradients]:
        """dy / deviation."""
        dx = context.workspace.array("dx", dy.shape, dy.dtype)
        do(np.multiply if self.invert else np.divide, dy, cache, out=dx)
        return dx, {}
