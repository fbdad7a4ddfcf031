"""Models and weights in files: Keras' ``.keras`` and ``.weights.h5``, and safetensors.

What a stranger's file says is checked against our own classes and against the bytes that are there;
no code in a file is ever run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.engine.errors import FormatError, ParameterError, StudioError
from studio.engine.saving import keras_file, safetensors
from studio.engine.saving.atomic import write_atomically
from studio.engine.saving.weights import assign, named_weights

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]


def save_model(model: Sequential, path: str | Path, overwrite: bool = True) -> None:
    """Write a built model with its optimizer to a ``.keras`` file, which Keras 3 opens too.

    Raises:
        StateError: if the model has no weights yet.
        ParameterError: if the name does not end in ``.keras``, or a setting is unknown to Keras.
        StudioError: if the file cannot be written, or is there and ``overwrite`` is False.
    """
    _check_name(path, (".keras",), overwrite)
    write_atomically(path, keras_file.model_bytes(model))


def load_model(path: str | Path, compile: bool = True) -> Sequential:
    """The model in a ``.keras`` file of ours or of Keras 3.

    Args:
        path: where the file is.
        compile: whether optimizer, loss and metrics are restored as well.

    Raises:
        FormatError: if it cannot be read, is damaged, or is no Sequential model.
        StudioError: if the model uses what is not known here.
    """
    _check_name(path, ("",))
    data = _read(path)
    try:
        return keras_file.model_from_bytes(data, compile)
    except StudioError as error:
        raise error.at(Path(path).name) from None


def save_weights(model: Sequential, path: str | Path, overwrite: bool = True) -> None:
    """Write a built model's weights, by the file's name as ``.safetensors`` or ``.weights.h5``.

    The latter holds the optimizer's state too, as Keras' does.

    Raises:
        StateError: if the model has no weights yet.
        ParameterError: if the name has another ending.
        StudioError: if the file cannot be written, or is there and ``overwrite`` is False.
    """
    ending = _check_name(path, (".safetensors", ".weights.h5"), overwrite)
    model.check_built()
    if ending == ".safetensors":
        arrays = {name: weight.value for name, weight in named_weights(model).items()}
        write_atomically(path, safetensors.dump(arrays))
    else:
        write_atomically(path, keras_file.weights_bytes(model))


def load_weights(model: Sequential, path: str | Path) -> None:
    """Set a built model's weights from a ``.safetensors``, ``.weights.h5`` or ``.keras`` file.

    Raises:
        StateError: if the model is not built.
        FormatError: if the file cannot be read, or is damaged.
        ShapeError: if the weights are those of another model; then nothing is changed.
    """
    ending = _check_name(path, (".safetensors", ".weights.h5", ".keras"))
    model.check_built()
    data, where = _read(path), Path(path).name
    if ending == ".safetensors":
        assign(named_weights(model), safetensors.parse(data, where), where)
        return
    try:
        keras_file.set_weights_bytes(model, data)
    except StudioError as error:
        raise error.at(where) from None


def _check_name(path: str | Path, endings: tuple[str, ...], overwrite: bool = True) -> str:
    if not isinstance(path, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ParameterError("a file's name", repr(path)[:80], "path")
    for ending in endings:
        if str(path).endswith(ending):
            if not overwrite and Path(path).exists():
                advice = "Choose another name."
                raise StudioError("a new file", "one that exists", str(path), advice)
            return ending
    raise ParameterError(f"a name that ends in {' or '.join(endings)}", repr(str(path)), "path")


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise FormatError("a file to read", str(error)[:200], str(path)) from None
