"""Specs with other values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from studio.engine.errors import StudioError, unknown_name
from studio.engine.registry import Registry
from studio.project.values import Spec


def new_spec(registry: Registry[Any], class_name: str) -> Spec:
    """A class with the values that its declaration says a new one starts with.

    Raises:
        UnknownNameError: if it is not registered.
    """
    cls = registry.find(class_name)
    initial = {
        name: param.initial
        for name, param in cls.params.items()
        if param.initial is not param.default
    }
    return Spec(cls.__name__, initial)


def set_spec_param(spec: Spec, registry: Registry[Any], name: str, value: Any) -> Spec:
    """The spec with another value of a parameter.

    A valid value is kept in its normal form, a default one is dropped, and one that is not valid
    is kept as it is, so that it can be shown where it is wrong.

    Raises:
        UnknownNameError: if the class is not registered or has no such parameter.
    """
    params = registry.find(spec.class_name).params
    if name not in params:
        raise unknown_name(name, params, "a parameter", spec.class_name)
    param = params[name]
    try:
        value = param.to_config(param.checked(value))
    except StudioError:
        return replace(spec, config={**spec.config, name: value})
    if not param.required and value == param.to_config(param.checked(param.default)):
        return replace(spec, config={key: kept for key, kept in spec.config.items() if key != name})
    return replace(spec, config={**spec.config, name: value})
