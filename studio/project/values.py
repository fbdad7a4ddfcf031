"""The document: frozen values all the way down. An edit makes a new one (see ``edits``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from studio.engine.params import Declared
from studio.engine.registry import Registry


def frozen(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A read-only copy of a configuration; lists in it become tuples."""
    return MappingProxyType({key: _frozen_item(value) for key, value in config.items()})


def _frozen_item(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozen(value)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return tuple(_frozen_item(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return value


@dataclass(frozen=True)
class Spec:
    """A registered class by name with those parameters that differ from its defaults.

    It holds what the user set, valid or not, so that a wrong value can be shown where it is.
    """

    class_name: str
    config: Mapping[str, Any] = field(default_factory=lambda: frozen({}))

    def make(self, registry: Registry[Any]) -> Declared:
        """The object that it describes.

        Raises:
            UnknownNameError: if the class is not in the registry.
            ParameterError: if a parameter is not valid.
        """
        return registry.find(self.class_name).from_config(self.config)


@dataclass(frozen=True)
class Block:
    """A layer in the stack. ``id`` stays the same through edits of it, and is unique in a project."""

    id: int
    layer: Spec


@dataclass(frozen=True)
class DataChoice:
    """Which data to train on: a built-in name, and the options of a synthetic one."""

    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: frozen({}))


@dataclass(frozen=True)
class Settings:
    """How to train."""

    optimizer: Spec = field(default_factory=lambda: Spec("Adam"))
    loss: Spec = field(default_factory=lambda: Spec("CategoricalCrossentropy"))
    epochs: int = 5
    batch_size: int = 32
    validation_split: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Project:
    """All that a user decides: the stack, the data, and how to train."""

    blocks: tuple[Block, ...] = ()
    data: DataChoice = field(default_factory=lambda: DataChoice("mnist_5k"))
    settings: Settings = field(default_factory=Settings)
