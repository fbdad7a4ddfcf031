"""Specs with other values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.engine.errors import StudioError, unknown_name
from studio.engine.params import Declared, Param
from studio.engine.registry import Registry
from studio.project.values import Config, Spec


def new_spec(
    registry: Registry[Any], class_name: str, starts: Mapping[str, Any] = Config()
) -> Spec:
    """A class with the values that its declaration says a new one starts with.

    Args:
        registry: knows the class.
        class_name: its name.
        starts: what the parameter that it is chosen for says beside (see ``Named``).

    Raises:
        UnknownNameError: if it is not registered.
    """
    cls = registry.find(class_name)
    initial = {
        name: param.initial
        for name, param in cls.params.items()
        if param.initial is not param.default
    }
    spec = Spec(cls.__name__, initial)
    for name, value in starts.items():
        spec = set_spec_param(spec, registry, name, value)
    return spec


def set_spec_param(spec: Spec, registry: Registry[Any], name: str, value: Any) -> Spec:
    """The spec with another value of a parameter.

    A valid value is kept in its normal form, a default one is dropped, and one that is not valid
    is kept as it is, so that it can be shown where it is wrong.

    Raises:
        UnknownNameError: if the class is not registered or has no such parameter.
    """
    return replace(
        spec, config=with_value(registry.find(spec.class_name), spec.config, name, value)
    )


def with_value(
    cls: type[Declared], config: Mapping[str, Any], name: str, value: Any
) -> dict[str, Any]:
    """The configuration of a class with another value, as :func:`set_spec_param` keeps it.

    Raises:
        UnknownNameError: if the class has no such parameter.
    """
    if name not in cls.params:
        raise unknown_name(name, cls.params, "a parameter", cls.__name__)
    param = cls.params[name]
    others = {key: kept for key, kept in config.items() if key != name}
    try:
        value = param.to_config(param.checked(value))
    except StudioError:
        return {**others, name: value}
    if not param.required and value == param.to_config(param.checked(param.default)):
        return others
    return {**others, name: value}


def own_values(spec: Spec, registry: Registry[Any]) -> dict[str, Any]:
    """Those values of a spec that are not the defaults of its class; its name is no such value."""
    cls = registry.find(spec.class_name)
    return {
        name: value
        for name, value in spec.config.items()
        if name in cls.params and name != "name" and with_value(cls, {}, name, value)
    }


def keeping(spec: Spec, registry: Registry[Any], others: Mapping[str, Any]) -> Spec:
    """The spec with those values of another class that are valid values of its own parameters."""
    for name, value in others.items():
        param = registry.find(spec.class_name).params.get(name)
        if param is not None and _valid(param, value):
            spec = set_spec_param(spec, registry, name, value)
    return spec


def _valid(param: Param[Any], value: Any) -> bool:
    try:
        param.checked(value)
    except StudioError:
        return False
    return True


def changed_field(param: Param[Any], before: Any, after: Any) -> str | None:
    """In which field a parameter's value was edited: ``"layer.units"``; None if a class was chosen.

    Args:
        param: what was edited.
        before: its value before.
        after: its value now.
    """
    registry: Registry[Any] | None = getattr(param, "registry", None)
    one, other = (Spec.of(value, registry) if registry else None for value in (before, after))
    if one is None and other is None:
        return param.name
    if registry is None or one is None or other is None or one.class_name != other.class_name:
        return None
    fields = [
        changed_field(inner, *(spec.config.get(name, inner.default) for spec in (one, other)))
        for name, inner in registry.find(one.class_name).params.items()
        if one.config.get(name) != other.config.get(name)
    ]
    return f"{param.name}.{fields[0]}" if len(fields) == 1 and fields[0] else None
