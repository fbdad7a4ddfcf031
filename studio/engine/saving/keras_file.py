"""Models in Keras' ``.keras`` files, and their weights in ``.weights.h5``.

A ``.keras`` file is a zip with ``config.json`` (layers, and how the model was compiled),
``metadata.json`` and ``model.weights.h5`` (weights and the optimizer's state).
Source: https://keras.io/guides/serialization_and_saving/ and files that Keras 3 wrote.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

from studio.engine.errors import FormatError, StudioError
from studio.engine.saving.hdf5_read import hdf5_arrays
from studio.engine.saving.hdf5_write import hdf5_bytes
from studio.engine.saving.keras_config import mapping
from studio.engine.saving.keras_model import compile_from_keras, model_from_keras, model_to_keras
from studio.engine.saving.optimizer_state import (
    checked_optimizer_arrays,
    optimizer_arrays,
    set_optimizer_arrays,
)
from studio.engine.saving.weights import assign, check_shapes, keras_weights
from studio.engine.sequential import Sequential
from studio.engine.workspace import Array

KERAS_VERSION = "3.15.1"
"""The Keras whose form of file is written."""
TEXT_LIMIT = 1 << 24
"""How many bytes of JSON are read."""
RATIO = 50
"""How many times larger than stored a part may be: weights hardly compress, bombs do."""


def model_bytes(model: Sequential) -> bytes:
    """The bytes of a ``.keras`` file.

    Raises:
        StateError: if the model has no weights yet.
        ParameterError: if a setting has no counterpart in Keras.
    """
    model.check_built()
    saved = datetime.now(UTC).strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS_VERSION, "date_saved": saved, "seed": model.moment.seed}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(model_to_keras(model)))
        archive.writestr("model.weights.h5", weights_bytes(model))
    return file.getvalue()


def model_from_bytes(data: bytes, compile: bool = True) -> Sequential:
    """The model in the bytes of a ``.keras`` file of ours or of Keras 3.

    Raises:
        FormatError: if the file is damaged, or not a model.
        StudioError: if it uses what is not known here.
    """
    try:
        parts = _parts(data)
        config = _json(parts, "config.json")
        seed = _json(parts, "metadata.json").get("seed")
        arrays = _arrays(parts["model.weights.h5"])
        numbers = sum(array.size for array in arrays.values())
        model = model_from_keras(config, numbers, seed if type(seed) is int and seed >= 0 else None)
        training = mapping(config.get("compile_config") or {}, "how the model is compiled")
        if compile and training.get("optimizer") is not None:
            compile_from_keras(model, training)
        _set_arrays(model, arrays)
    except RecursionError:
        raise FormatError("a model of simple structure", "one nested too deeply") from None
    return model


def weights_bytes(model: Sequential) -> bytes:
    """The bytes of a ``.weights.h5`` file: weights, and the optimizer's state if it has one."""
    weights, groups = keras_weights(model)
    arrays = {place: weight.value for place, weight in weights.items()}
    return hdf5_bytes(arrays | optimizer_arrays(model), groups)


def set_weights_bytes(model: Sequential, data: bytes) -> None:
    """Set a built model's weights and its optimizer's state from ``.weights.h5`` or ``.keras``.

    Raises:
        FormatError: if the file is damaged.
        ShapeError: if it belongs to another model; then nothing is changed.
    """
    if data.startswith(b"PK"):
        data = _parts(data)["model.weights.h5"]
    _set_arrays(model, _arrays(data))


def _arrays(data: bytes) -> dict[str, Array]:
    # Keras may keep the seeds of random layers as well, in groups of their own.
    found = hdf5_arrays(data, "model.weights.h5")
    return {place: array for place, array in found.items() if "/seed_generator/" not in place}


def _set_arrays(model: Sequential, arrays: dict[str, Array]) -> None:
    own = {place: array for place, array in arrays.items() if place.startswith("layers/")}
    weights, where = keras_weights(model)[0], "model.weights.h5"
    # All is checked before anything is changed.
    check_shapes(weights, own, where)
    state = checked_optimizer_arrays(model, arrays, where)
    assign(weights, own, where)
    set_optimizer_arrays(model, state)


def _parts(data: bytes) -> dict[str, bytes]:
    """The parts of the zip by name, none larger than its stored size allows."""
    parts: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in ("config.json", "metadata.json", "model.weights.h5"):
                if name == "metadata.json" and name not in archive.namelist():
                    continue
                entry = archive.getinfo(name)
                limit = RATIO * max(entry.compress_size, 100)
                limit = min(limit, TEXT_LIMIT) if name.endswith(".json") else limit
                if entry.file_size > limit or entry.compress_size > len(data):
                    raise FormatError(f"at most {limit} bytes", str(entry.file_size), name)
                parts[name] = archive.read(entry)
    except StudioError:
        raise
    # What zipfile raises for damaged archives; the last are for unknown or encrypted entries.
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, ValueError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        found = str(error)[:200] or type(error).__name__
        raise FormatError("a .keras file with config.json and model.weights.h5", found) from None
    return parts


def _json(parts: dict[str, bytes], name: str) -> dict[str, Any]:
    try:
        value = json.loads(parts.get(name, b"{}"))
    except ValueError:
        raise FormatError("text in JSON", "something else", name) from None
    return mapping(value, f"a JSON object in {name}")
