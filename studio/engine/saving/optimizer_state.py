"""What an optimizer remembers, in the order in which Keras numbers it in a file.

Number 0 counts the updates, 1 is the learning rate where it is not a schedule, and then come the
slots: one after another for each weight, but for the pairs of ``PAIRED`` side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from studio.engine.errors import FormatError, ShapeError
from studio.engine.optimizers import Optimizer
from studio.engine.parameters import Parameters
from studio.engine.workspace import Array

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

PLACE = "optimizer/vars"
PAIRED = {"Adam", "AdamW", "Adadelta", "Adamax", "Nadam"}
"""Optimizers whose first two slots stand side by side for each weight."""


def optimizer_arrays(model: Sequential) -> dict[str, Array]:
    """The state by its places in Keras' HDF5 files; nothing before the model is compiled."""
    optimizer, parameters = model.optimizer, model.parameters
    if optimizer is None or parameters is None:
        return {}
    optimizer.build(parameters)
    arrays: list[Array] = [np.array(optimizer.iterations, "int64")]
    if not callable(optimizer.learning_rate):
        arrays.append(np.array(optimizer.learning_rate, "float32"))
    arrays.extend(_views(optimizer, parameters))
    return {f"{PLACE}/{number}": array for number, array in enumerate(arrays)}


def set_optimizer_arrays(model: Sequential, arrays: Mapping[str, Array], where: str) -> None:
    """Set the state of a compiled model's optimizer from the arrays of a file.

    Raises:
        FormatError: if the state is that of another optimizer or model; then nothing is changed.
    """
    optimizer, parameters = model.optimizer, model.parameters
    if optimizer is None or parameters is None or f"{PLACE}/0" not in arrays:
        return
    optimizer.build(parameters)
    follows = callable(optimizer.learning_rate)
    slots = list(_views(optimizer, parameters))
    first = 1 if follows else 2
    try:
        values = [arrays[f"{PLACE}/{number}"] for number in range(first + len(slots))]
    except KeyError as missing:
        wanted = f"the state of {type(optimizer).__name__}"
        raise FormatError(wanted, f"no {missing}", where) from None
    shapes = [(), *[()] * (not follows), *[slot.shape for slot in slots]]
    for number, (value, shape) in enumerate(zip(values, shapes, strict=True)):
        if value.shape != shape:
            raise ShapeError(f"shape {shape}", f"{value.shape}", f"{where}, {PLACE}/{number}")
    optimizer.iterations = int(values[0])
    # The configuration holds the rate in full; the file's has the precision of float32.
    if not follows and np.float32(optimizer.learning_rate) != values[1]:
        optimizer.learning_rate = float(values[1])
    for slot, value in zip(slots, values[first:], strict=True):
        np.copyto(slot, value, casting="unsafe")


def _views(optimizer: Optimizer, parameters: Parameters) -> Iterator[Array]:
    """The slots weight by weight, in Keras' order."""
    names = list(optimizer.slots)
    blocks = [names[:2], *names[2:]] if type(optimizer).__name__ in PAIRED else names
    for block in blocks:
        for _, weight, where in parameters.entries:
            for name in [block] if isinstance(block, str) else block:
                yield optimizer.state[name][where].reshape(weight.shape)
