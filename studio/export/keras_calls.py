"""What a project is made of as calls of Keras. The declarations know all names and defaults."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from studio.engine.activations import activations
from studio.engine.constraints import constraints
from studio.engine.initializers import initializers
from studio.engine.layers import registry as layers
from studio.engine.layers.recurrent import recurrent_layers
from studio.engine.layers.wrapper import Inner
from studio.engine.losses import losses
from studio.engine.metrics import metrics
from studio.engine.optimizers import optimizers
from studio.engine.params import Integers, Param, Reals, snake_case
from studio.engine.registry import Registry
from studio.engine.regularizers import regularizers
from studio.engine.schedules import schedules
from studio.export.source import Call, Name
from studio.project.values import Spec

MODULES: Mapping[Registry[Any], str] = {
    layers: "layers",
    recurrent_layers: "layers",
    initializers: "keras.initializers",
    regularizers: "keras.regularizers",
    constraints: "keras.constraints",
    losses: "keras.losses",
    metrics: "keras.metrics",
    optimizers: "keras.optimizers",
    schedules: "keras.optimizers.schedules",
}
"""Where Keras has what each registry holds."""
REFUSED = re.compile(r"[^A-Za-z0-9_-]+")
"""What names may not have: TensorFlow refuses blanks and most signs, PyTorch the point."""


def call(spec: Spec, registry: Registry[Any]) -> Call:
    """The call that makes what the spec describes: required arguments first, defaults left out."""
    cls = registry.find(spec.class_name)
    config = _told_within(cls, spec.config)
    if registry is not metrics:
        config = _plainly_named(config)
    required = [param for param in cls.params.values() if param.required]
    others = [param for param in cls.params.values() if not param.required]
    positional = [("", value(param, config[param.name])) for param in required]
    named = [
        (param.name, value(param, config[param.name])) for param in others if param.name in config
    ]
    return Call(f"{MODULES[registry]}.{cls.__name__}", (*positional, *named))


def name_in_keras(name: str) -> str:
    """The name as Keras takes it on every backend; empty where nothing is left of it."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return REFUSED.sub("_", letters).lstrip("_-")


def _plainly_named(config: Mapping[str, Any]) -> Mapping[str, Any]:
    rest = {key: given for key, given in config.items() if key != "name"}
    name = name_in_keras(config.get("name") or "")
    return {**rest, "name": name} if name else rest


def _told_within(cls: type[Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a wrapper is not trained, Keras wants to hear that from the layers within it."""
    if config.get("trainable", True):
        return config
    told = dict(config)
    for name, given in config.items():
        param = cls.params[name]
        inner = Spec.of(given, param.registry) if isinstance(param, Inner) else None
        if inner is not None:
            told[name] = Spec(inner.class_name, {**inner.config, "trainable": False}).value
    return told


def name_or_call(spec: Spec, registry: Registry[Any]) -> Any:
    """Keras' short name where nothing differs from the defaults, else the call."""
    made = call(spec, registry)
    if made.arguments:
        return made
    return spec.class_name.lower() if registry is optimizers else snake_case(spec.class_name)


def value(param: Param[Any], given: Any) -> Any:
    """The value of a parameter as an argument."""
    registry: Registry[Any] | None = getattr(param, "registry", None)
    if registry is initializers and given == "constant":
        # Keras has no value of its own for it.
        given = {"class_name": "Constant", "config": {"value": 0.0}}
    spec = Spec.of(given, registry) if isinstance(given, Mapping) and registry else None
    if spec is None or registry is None:
        return _short(param, given)
    if registry is activations:
        # Keras' activations are functions; one with other settings than its defaults is a partial.
        function = Name(f"keras.activations.{snake_case(spec.class_name)}")
        return Call("partial", (("", function), *spec.config.items()))
    return call(spec, registry)


def _short(param: Param[Any], given: Any) -> Any:
    """Equal sizes as one number, as people write ``kernel_size=3``, and several as Keras wants."""
    if isinstance(param, Integers) and param.length and given and len(set(given)) == 1:
        return given[0]
    if isinstance(param, Reals) and isinstance(given, tuple):
        return list(cast("tuple[float, ...]", given))
    return given
