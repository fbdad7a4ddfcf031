"""A whole model as Keras' ``config.json`` describes it: layers, and how it was compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from studio.engine.errors import FormatError, StudioError
from studio.engine.layers.base import Layer, layers
from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.engine.saving.keras_config import from_keras, mapping, to_keras, wrapped
from studio.engine.sequential import Input, Sequential

LAYERS = 2_000
"""How many layers a model in a file may have."""


def model_to_keras(model: Sequential) -> dict[str, Any]:
    """The configuration of a built model.

    Raises:
        ParameterError: if a setting has no counterpart in Keras.
    """
    shape = list(model.input_shape or ())
    dtype = model.layers[0].dtype
    first = {"batch_shape": shape, "dtype": dtype, "name": "input_layer"}
    stack = [wrapped("keras.layers", "InputLayer", first)]
    for layer in model.layers:
        built = {"build_config": {"input_shape": list(layer.input_shape or ())}}
        stack.append(to_keras(layer) | built)
    config = {"name": model.name, "trainable": True, "dtype": dtype, "layers": stack}
    whole = wrapped("keras", "Sequential", config | {"build_input_shape": shape})
    whole["build_config"] = {"input_shape": shape}
    if model.optimizer is not None:
        whole["compile_config"] = {
            "optimizer": to_keras(model.optimizer),
            "loss": to_keras(model.loss),
            "metrics": [to_keras(metric) for metric in model.metrics] or None,
            "weighted_metrics": [to_keras(metric) for metric in model.weighted_metrics] or None,
        }
    return whole


def model_from_keras(config: Mapping[str, Any], numbers: int, seed: int | None) -> Sequential:
    """A built model, its weights still at their initial values.

    Args:
        config: the configuration.
        numbers: how many numbers the file holds; no memory is taken for more.
        seed: the model's seed, or None for a new one.

    Raises:
        FormatError: if it is not a Sequential model, or has more weights than the file.
        StudioError: if it uses what is not known here.
    """
    name = config.get("class_name")
    if name != "Sequential" or config.get("module") not in ("keras", "keras.models"):
        raise FormatError("a Sequential model", repr(name)[:80])
    inner = mapping(config.get("config"), "the configuration of a model")
    items = _list(inner.get("layers"), "a list of layers")
    if not 0 < len(items) <= LAYERS:
        raise FormatError(f"1 to {LAYERS} layers", str(len(items)))
    first, *others = [mapping(item, "a layer") for item in items]
    shape: Any = inner.get("build_input_shape")
    if first.get("class_name") == "InputLayer":
        start = mapping(first.get("config"), "the shape of the input")
        shape = start.get("batch_shape", start.get("batch_input_shape"))
    else:
        others = [first, *others]
    start = Input(_list(shape, "the shape of the input")[1:])
    stack = [_layer(item, number) for number, item in enumerate(others)]
    _check_size(stack, start, numbers)
    return Sequential([start, *stack], name=str(inner.get("name") or "sequential")[:100], seed=seed)


def _layer(item: Mapping[str, Any], number: int) -> Layer:
    try:
        return from_keras(layers, item)
    except StudioError as error:
        raise error.at(f"layer {number}") from None


def _check_size(stack: list[Layer], start: Input, numbers: int) -> None:
    """Find out before memory is taken whether the file has a number for each of the weights."""
    shape = (None, *start.shape)
    wanted = 0
    for layer in stack:
        wanted += layer.count_params(shape)
        shape = layer.compute_output_shape(shape)
    if wanted > numbers:
        raise FormatError(f"{wanted} numbers for the weights of its layers", str(numbers))


def compile_from_keras(model: Sequential, config: Mapping[str, Any]) -> None:
    """Compile a model as a file says.

    Raises:
        StudioError: if it uses what is not known here.
    """
    loss = config.get("loss")
    try:
        model.compile(
            from_keras(optimizers, config.get("optimizer")),
            None if loss is None else from_keras(losses, loss),
            metrics=_metrics(config.get("metrics")),
            weighted_metrics=_metrics(config.get("weighted_metrics")),
        )
    except StudioError as error:
        error.advice = f"{error.advice} Or load it without its training: compile=False.".strip()
        raise error.at("compile_config") from None


def _metrics(chosen: Any) -> list[Any]:
    """Keras writes the list that the user gave; for one output it may be a list within a list."""
    if chosen is None:
        return []
    items = _list(chosen, "a list of metrics")
    if len(items) == 1 and isinstance(items[0], list):
        return _metrics(items[0])
    return [item if isinstance(item, str) else from_keras(metrics, item) for item in items]


def _list(value: Any, expected: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError(expected, repr(value)[:80])
    return cast("list[Any]", value)
