"""The shape of a model's input."""

from __future__ import annotations

from typing import Any

from studio.engine.errors import ParameterError
from studio.engine.params import Choice, Integer, Text
from studio.engine.workspace import Shape


class Input:
    """The shape of one sample, as the first item of a model (https://keras.io/api/layers/core_layers/input/).

    Args:
        shape: without the batch; None for a size that varies.
        batch_size: as in Keras; batches of any size are taken all the same.
        dtype: as in Keras; the first layer says what numbers it computes with.
        name: its name in files.
        batch_shape: the shape with the batch first, instead of ``shape``.

    Raises:
        ParameterError: if the shape is not a tuple of whole numbers and None.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        name: str | None = None,
        batch_shape: Any = None,
    ) -> None:
        if shape is None and isinstance(batch_shape, list | tuple) and batch_shape:
            batch_size, *shape = batch_shape  # pyright: ignore[reportUnknownVariableType]
        self.shape = input_shape(shape, "Input shape")
        self.batch_size = Integer(minimum=1, optional=True).checked(batch_size, "Input batch_size")
        options = ("float32", "float64", "int32", "int64", "uint8", "bool")
        self.dtype = Choice(options=options, optional=True).checked(dtype, "Input dtype")
        self.name = Text(optional=True).checked(name, "Input name")


def input_shape(shape: Any, where: str) -> Shape:
    """The shape of one sample, checked.

    Raises:
        ParameterError: if it is not a tuple of positive whole numbers and None.
    """
    expected = "a tuple of whole numbers of at least 1 and None"
    if not isinstance(shape, list | tuple):
        advice = f"Write ({shape},)." if isinstance(shape, int) else ""
        raise ParameterError(expected, repr(shape)[:80], where, advice)
    size = Integer(minimum=1, optional=True)
    try:
        return tuple(size.checked(item) for item in shape)  # pyright: ignore[reportUnknownVariableType]
    except ParameterError:
        raise ParameterError(expected, repr(tuple(shape))[:80], where) from None  # pyright: ignore[reportUnknownArgumentType]
