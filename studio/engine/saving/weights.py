"""A model's weights by name, and back into the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from studio.engine.errors import ShapeError
from studio.engine.layers.base import Layer, Weight
from studio.engine.params import snake_case
from studio.engine.workspace import Array

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

CELLS = {"SimpleRNN", "LSTM", "GRU"}
"""Layers whose weights Keras keeps in a cell within the layer."""
WRAPPED = {"Bidirectional": ("forward_layer", "backward_layer"), "TimeDistributed": ("layer",)}
"""Layers whose weights Keras keeps in layers within them, by the names of those attributes."""


def named_weights(model: Sequential) -> dict[str, Weight]:
    """The weights by layer and name: ``"conv2d/kernel"``."""
    return {
        f"{layer.name}/{weight.name}": weight for layer in model.layers for weight in layer.weights
    }


def keras_weights(model: Sequential) -> tuple[dict[str, Weight], tuple[str, ...]]:
    """The weights by their places in Keras' HDF5 files, and all groups that Keras makes there.

    Layers are numbered by class, whatever their names: ``"layers/dense_1/vars/0"``.
    """
    found: dict[str, Weight] = {}
    groups = ["vars"]
    for group, layer in keras_groups(model):
        for place, weights in _places(layer, f"layers/{group}"):
            groups.append(f"{place}/vars")
            found |= {f"{place}/vars/{i}": weight for i, weight in enumerate(weights)}
    return found, tuple(groups)


def keras_groups(model: Sequential) -> Iterator[tuple[str, Layer]]:
    """What Keras calls each layer in a file: its class, and a number from the second one on."""
    count: dict[str, int] = {}
    for layer in model.layers:
        name = snake_case(type(layer).__name__)
        number = count[name] = count.get(name, -1) + 1
        yield f"{name}_{number}" if number else name, layer


def _places(layer: Layer, path: str) -> Iterator[tuple[str, list[Weight]]]:
    name = type(layer).__name__
    if name in WRAPPED:
        yield path, []
        for attribute in WRAPPED[name]:
            yield from _places(getattr(layer, attribute), f"{path}/{attribute}")
    elif name in CELLS:
        yield path, []
        yield f"{path}/cell", layer.weights
    else:
        yield path, layer.weights


def assign(weights: Mapping[str, Weight], arrays: Mapping[str, Array], where: str) -> None:
    """Set weights to the arrays of the same names.

    Raises:
        ShapeError: if a name is missing or too many, or a shape differs; then nothing is changed.
    """
    check_shapes(weights, arrays, where)
    for name, weight in weights.items():
        np.copyto(weight.value, arrays[name], casting="unsafe")


def check_shapes(weights: Mapping[str, Weight], arrays: Mapping[str, Array], where: str) -> None:
    """See to it that there is an array of the same shape for each weight, and no other.

    Raises:
        ShapeError: if a name is missing or too many, or a shape differs.
    """
    for name in [*weights, *arrays]:
        wanted = _shape(weights[name].shape if name in weights else None)
        found = _shape(arrays[name].shape if name in arrays else None)
        if wanted != found:
            raise ShapeError(
                wanted, found, f"{where}, weight {name}", "The file belongs to another model."
            )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "no such weight" if shape is None else f"shape {shape}"
