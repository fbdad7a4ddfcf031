"""What an optimizer remembers, in the places in which Keras keeps it in a file.

Number 0 counts the updates, 1 is the learning rate where it is not a schedule, and then come the
slots, as :meth:`Optimizer.variables` orders them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from studio.engine.errors import FormatError, ShapeError
from studio.engine.workspace import Array

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

PLACE = "optimizer/vars"
MOST_UPDATES = 1 << 53
"""How many at most, so that a float64 knows each number of them."""


def optimizer_arrays(model: Sequential) -> dict[str, Array]:
    """The state by its places in Keras' HDF5 files; nothing before the model is compiled."""
    optimizer, parameters = model.optimizer, model.parameters
    if optimizer is None or parameters is None:
        return {}
    found = optimizer.variables(parameters)
    return {f"{PLACE}/{number}": array for number, (_, array) in enumerate(found)}


def checked_optimizer_arrays(
    model: Sequential, arrays: Mapping[str, Array], where: str
) -> list[Array]:
    """The state of a compiled model's optimizer among the arrays of a file; empty without one.

    Raises:
        FormatError, ShapeError, ParameterError: if it is that of another optimizer or model, or
            none that there can be.
    """
    optimizer, parameters = model.optimizer, model.parameters
    if optimizer is None or parameters is None or f"{PLACE}/0" not in arrays:
        return []
    own = [array for _, array in optimizer.variables(parameters)]
    if f"{PLACE}/{len(own) - 1}" not in arrays and not arrays[f"{PLACE}/0"].any():
        return []  # Keras makes the slots with the first update only.
    try:
        values = [arrays[f"{PLACE}/{number}"] for number in range(len(own))]
    except KeyError as missing:
        wanted = f"the state of {type(optimizer).__name__}"
        raise FormatError(wanted, f"no {missing}", where) from None
    for number, (value, array) in enumerate(zip(values, own, strict=True)):
        if value.shape != array.shape:
            place = f"{where}, {PLACE}/{number}"
            raise ShapeError(f"shape {array.shape}", f"{value.shape}", place)
    done = float(values[0])
    if not 0 <= done <= MOST_UPDATES or done % 1:
        raise FormatError("a number of updates", f"{done:g}", f"{where}, {PLACE}/0")
    if not callable(optimizer.learning_rate):
        type(optimizer).params["learning_rate"].checked(float(values[1]), f"{where}, {PLACE}/1")
    return values


def set_optimizer_arrays(model: Sequential, values: Sequence[Array]) -> None:
    """Set the state of a model's optimizer to what :func:`checked_optimizer_arrays` found."""
    optimizer, parameters = model.optimizer, model.parameters
    if optimizer is None or parameters is None or not values:
        return
    own = [array for _, array in optimizer.variables(parameters)]
    optimizer.iterations = int(values[0])
    # The configuration holds the rate in full; the file's has the precision of float32.
    if not callable(optimizer.learning_rate) and own[1] != values[1]:
        optimizer.learning_rate = float(values[1])
    for array, value in zip(own, values, strict=True):
        np.copyto(array, value, casting="unsafe")
