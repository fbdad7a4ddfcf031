"""What one layer makes of one input shape, worked out once and remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from studio.engine.activations import Activation
from studio.engine.errors import ParameterError, StudioError, unknown_name
from studio.engine.layers import Layer
from studio.engine.layers import registry as layers
from studio.engine.params import Declared
from studio.engine.registry import Registry
from studio.engine.workspace import Shape
from studio.project.values import Spec


@dataclass(frozen=True)
class Wrong:
    """An error in a layer, and the parameter that it is about, where it is about one."""

    error: StudioError
    param: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a layer behind a given input; None is what an error leaves unknown.

    Args:
        settings: its most telling settings in a few words.
        output_shape: batch (None) first.
        params: how many numbers its weights hold.
        activation: what its output ends with.
        wrong: its invalid parameters, or why it cannot take the input; where the output's shape is
            known, what does not suit a weight of it.
    """

    settings: str = ""
    output_shape: Shape | None = None
    params: int | None = None
    activation: Activation | None = None
    wrong: tuple[Wrong, ...] = ()


@lru_cache(maxsize=1 << 16)
def examine(spec: Spec, input_shape: Shape | None) -> Facts:
    """The facts about a layer; of an unknown input only what its own parameters say."""
    wrong = wrong_parameters(spec, layers)
    if wrong:
        return Facts(wrong=wrong)
    layer = spec.make(layers)
    assert isinstance(layer, Layer)
    settings, activation = layer.key_settings(), layer.output_activation
    if input_shape is None:
        return Facts(settings, activation=activation)
    try:
        output_shape = layer.compute_output_shape(input_shape)
        params = layer.count_params(input_shape)
    except StudioError as error:
        return Facts(settings, activation=activation, wrong=(Wrong(error),))
    unsuited = {(str(w.error), w.param): w for w in _unsuited(layer, input_shape, output_shape)}
    return Facts(settings, output_shape, params, activation, tuple(unsuited.values()))


def _unsuited(layer: Layer, input_shape: Shape, output_shape: Shape) -> Iterator[Wrong]:
    """What is chosen for a weight, or for the output, of another shape than it can take."""
    chosen: list[tuple[str, str, Any, tuple[int, ...]]] = [
        (spec.name, kind, getattr(spec, kind), spec.shape)
        for spec in layer.weight_specs(input_shape)
        for kind in ("initializer", "regularizer", "constraint")
    ]
    outputs = tuple(size or 1 for size in output_shape)
    regularizer = getattr(layer, "activity_regularizer", None)
    for weight, kind, choice, shape in (*chosen, ("activity", "regularizer", regularizer, outputs)):
        try:
            if choice is not None:
                choice.check_shape(shape)
        except StudioError as error:
            names = f"{weight}_{kind}", f"{weight.removesuffix('_kernel')}_{kind}"
            yield Wrong(error, next((name for name in names if name in layer.params), None))


def wrong_parameters(spec: Spec, registry: Registry[Any]) -> tuple[Wrong, ...]:
    """What is invalid about a spec in itself."""
    try:
        cls = registry.find(spec.class_name)
    except StudioError as error:
        return (Wrong(error),)
    return wrong_values(cls, spec.config)


def wrong_values(cls: type[Declared], config: Mapping[str, Any]) -> tuple[Wrong, ...]:
    """Which values a class would not accept."""
    declared = cls.params
    wrong: list[Wrong] = []
    for name, value in config.items():
        try:
            if name not in declared:
                raise unknown_name(name, declared, "a parameter")
            declared[name].checked(value)
        except StudioError as error:
            wrong.append(Wrong(error, name))
    for name, param in declared.items():
        if param.required and name not in config:
            wrong.append(Wrong(ParameterError(param.expected, "nothing", name), name))
    if not wrong:
        try:
            cls.from_config(config)
        except StudioError as error:
            wrong.append(Wrong(error))
    return tuple(wrong)
