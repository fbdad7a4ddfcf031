"""Where a training stands, so that another process can go on from there with the same bits.

That is: the weights, the optimizer's state, the seed and the number of epochs done. Random streams
need nothing more, as they derive from seed, epoch and step. The file is a safetensors one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.engine.errors import FormatError, ShapeError, StateError
from studio.engine.saving import safetensors
from studio.engine.saving.atomic import write_atomically
from studio.engine.saving.weights import assign, named_weights
from studio.engine.workspace import Array

if TYPE_CHECKING:
    from studio.engine.optimizers import Optimizer
    from studio.engine.sequential import Sequential

STATE = "optimizer state/"
"""What the names of the optimizer's slots begin with; no layer is called so."""
POSITION = "position"
RATE = "learning rate"


def save_checkpoint(model: Sequential, path: str | Path, epochs: int) -> None:
    """Write down where a training stands after that many epochs.

    Raises:
        StateError: if the model is not built and compiled.
        StudioError: if the file cannot be written.
    """
    optimizer = _optimizer(model)
    arrays: dict[str, Array] = {
        POSITION: np.array([model.moment.seed, epochs, optimizer.iterations], "int64")
    }
    if not callable(optimizer.learning_rate):
        arrays[RATE] = np.array(optimizer.learning_rate, "float64")
    arrays |= {name: weight.value for name, weight in named_weights(model).items()}
    arrays |= {STATE + slot: value for slot, value in optimizer.state.items()}
    write_atomically(path, safetensors.dump(arrays))


def load_checkpoint(model: Sequential, path: str | Path) -> int:
    """Put a model, built and compiled as before, back to where its training stood.

    Returns:
        How many epochs were done: the ``initial_epoch`` to go on with.

    Raises:
        StateError: if the model is not built and compiled.
        FormatError: if the file cannot be read or is damaged.
        ShapeError: if it belongs to another model or optimizer; then nothing is changed.
    """
    optimizer = _optimizer(model)
    where = Path(path).name
    try:
        arrays = safetensors.parse(Path(path).read_bytes(), where)
    except OSError as error:
        raise FormatError("a file to read", str(error)[:200], str(path)) from None
    position, rate = arrays.pop(POSITION, None), arrays.pop(RATE, None)
    if position is None or position.shape != (3,) or position.dtype != np.int64:
        raise FormatError("a checkpoint", "other arrays", where)
    seed, epochs, iterations = position.tolist()
    fixed = not callable(optimizer.learning_rate)
    if min(seed, epochs, iterations) < 0 or fixed != (rate is not None and rate.shape == ()):
        raise FormatError("a checkpoint of this training", "other numbers", where)
    state = {name: arrays.pop(name) for name in list(arrays) if name.startswith(STATE)}
    wanted = {STATE + slot: value for slot, value in optimizer.state.items()}
    found = {name: (value.shape, value.dtype) for name, value in state.items()}
    if state and found != {name: (value.shape, value.dtype) for name, value in wanted.items()}:
        raise ShapeError(
            f"the state of {type(optimizer).__name__}: {', '.join(wanted) or 'none'}",
            ", ".join(found), where, "Compile the model with the optimizer that it had.",
        )  # fmt: skip
    assign(named_weights(model), arrays, where)
    for slot in optimizer.state:
        np.copyto(optimizer.state[slot], state.get(STATE + slot, 0))
    optimizer.iterations = iterations
    if rate is not None:
        optimizer.learning_rate = float(rate)
    model.moment.seed = seed
    return epochs


def _optimizer(model: Sequential) -> Optimizer:
    parameters = model.parameters
    if parameters is None or model.optimizer is None:
        raise StateError("a model that is built and compiled", "one that is not", model.name)
    model.optimizer.build(parameters)
    return model.optimizer
