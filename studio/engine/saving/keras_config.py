"""Between our configurations and the ones in Keras' ``config.json``.

Reading makes objects only of the classes in our registries, and only from arguments that those
classes declare. Keras' other arguments are let pass where they say what we do anyway (``NEUTRAL``),
everything else is an error. Nothing in a file is ever run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from studio.engine.activations import Activation, activations
from studio.engine.constraints import Constraint, constraints
from studio.engine.errors import FormatError, ParameterError
from studio.engine.initializers import Initializer, initializers
from studio.engine.layers.base import Layer, layers
from studio.engine.losses import Loss, losses
from studio.engine.metrics import Metric, metrics
from studio.engine.optimizers import Optimizer, optimizers
from studio.engine.params import Declared, Param
from studio.engine.registry import Registry
from studio.engine.regularizers import Regularizer, regularizers
from studio.engine.schedules import LearningRateSchedule, schedules

KINDS: tuple[tuple[type[Declared], Registry[Any], str], ...] = (
    (Layer, layers, "keras.layers"),
    (Initializer, initializers, "keras.initializers"),
    (Regularizer, regularizers, "keras.regularizers"),
    (Constraint, constraints, "keras.constraints"),
    (LearningRateSchedule, schedules, "keras.optimizers.schedules"),
    (Optimizer, optimizers, "keras.optimizers"),
    (Loss, losses, "keras.losses"),
    (Metric, metrics, "keras.metrics"),
)
ACTIVATION_LAYERS = {"Relu": "ReLU", "LeakyRelu": "LeakyReLU", "Elu": "ELU", "Softmax": "Softmax"}
"""Activations whose settings Keras can only write as a layer."""

NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "activity_regularizer": (None,),
    "autocast": (True,),
    "data_format": ("channels_last", None),
    "gradient_accumulation_steps": (None,),
    "input_axes": (None,),
    "loss_scale_factor": (None,),
    "noise_shape": (None,),
    "output_axes": (None,),
    "quantization_config": (None,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "return_state": (False,),
    "rms_scaling": (False,),
    "stateful": (False,),
    "synchronized": (False,),
    "unroll": (False, True),
    "use_cudnn": ("auto", True, False),
    "zero_output_for_mask": (False,),
}
"""Arguments of Keras that we do without, and the values that ask for what we do."""


def to_keras(value: Any) -> Any:
    """A declared object, or a value within its configuration, as Keras writes it.

    Raises:
        ParameterError: if Keras has no way to write it.
    """
    if isinstance(value, Activation):
        return _activation_to_keras(value)
    if not isinstance(value, Declared):
        return value
    module = next(module for kind, _, module in KINDS if isinstance(value, kind))
    return wrapped(module, type(value).__name__, config_to_keras(value))


def config_to_keras(value: Declared) -> dict[str, Any]:
    """The arguments of a declared object as Keras writes them."""
    config: dict[str, Any] = {}
    for name, param in type(value).params.items():
        held = getattr(value, name)
        if name == "trainable" and held:
            continue  # The default, and an argument that some layers of Keras don't take.
        config[name] = to_keras(held if isinstance(held, Declared) else param.to_config(held))
    return config


def wrapped(module: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """A class of Keras and its arguments, as Keras writes them."""
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _activation_to_keras(value: Activation) -> Any:
    cls = type(value)
    if value == cls():
        return activations.spelled(cls.__name__)
    name = ACTIVATION_LAYERS.get(cls.__name__)
    if name is None:
        raise ParameterError(
            "an activation that Keras can save", repr(value), "save",
            "Use the activation with its own settings left as they are.",
        )  # fmt: skip
    return wrapped("keras.layers", name, config_to_keras(value))


def from_keras(registry: Registry[Any], value: Any) -> Any:
    """An object of a registry from what Keras wrote: a name, a function's name, or a class.

    Raises:
        FormatError: if it is a class of someone else's, or not of Keras' form.
        UnknownNameError: if it is not registered.
        ParameterError: if an argument is not valid, or one that we don't have is in use.
    """
    if isinstance(value, str):
        return registry.make(value)
    item = mapping(value, "the class and arguments of an object")
    name, config = item.get("class_name"), item.get("config")
    registered = item.get("registered_name")
    module = item.get("module")
    if name == "function" and module == "builtins":
        return registry.make(config)
    theirs = isinstance(module, str) and module.split(".")[0] == "keras"
    if not isinstance(name, str) or not theirs or ">" in str(registered):
        raise FormatError(
            "a class of Keras", f"{registered or name!r} of {module!r}"[:200], "",
            "Classes of one's own would bring code with them, which is never run.",
        )  # fmt: skip
    if registry is activations:
        name = {theirs: ours for ours, theirs in ACTIVATION_LAYERS.items()}.get(name, name)
    cls = registry.find(name)
    arguments = mapping({} if config is None else config, f"the arguments of {name}")
    return cls.from_config(config_from_keras(cls, arguments))


def config_from_keras(cls: type[Declared], config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that our class declares, from those that Keras wrote.

    Raises:
        ParameterError: if one that we don't have has a value that we don't follow.
    """
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name in cls.params:
            found[name] = _argument(cls.params[name], value)
        elif not _is_neutral(cls, name, value):
            raise ParameterError(
                "only arguments that are known here", f"{name}={value!r}"[:200], cls.__name__
            )
    return found


def _is_neutral(cls: type[Declared], name: str, value: Any) -> bool:
    if name in ("name", "dtype", "trainable") and not issubclass(cls, Layer):
        return True
    return name in NEUTRAL and any(value is good or value == good for good in NEUTRAL[name])


def _argument(param: Param[Any], value: Any) -> Any:
    if isinstance(value, list):
        return [_argument(param, item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    item = cast("dict[str, Any]", value)
    kind = item.get("class_name")
    if kind == "__tuple__":
        return _argument(param, item.get("items"))
    if kind == "DTypePolicy" and param.name == "dtype":
        return mapping(item.get("config"), "a number type").get("name")
    registry = getattr(param, "registry", None)
    if registry is None:
        raise FormatError(param.expected, repr(item)[:200], param.name)
    return from_keras(registry, item)


def mapping(value: Any, expected: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FormatError: if it is something else.
    """
    if not isinstance(value, dict):
        raise FormatError(expected, repr(value)[:80])
    return cast("dict[str, Any]", value)
