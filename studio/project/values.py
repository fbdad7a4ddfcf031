"""The document: frozen values all the way down. An edit makes a new one (see ``edits``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from studio.engine.params import Declared
from studio.engine.registry import Registry

WHOLE = 1 << 53
"""All whole numbers of a project are smaller, so that whoever reads JSON knows each of them."""


class Config(Mapping[str, Any]):
    """A read-only mapping of what JSON can hold, in alphabetical order; lists in it become tuples.

    Two are equal only if their values are of the same types too: 1, 1.0 and True are not all valid
    as a number of units.
    """

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items = {name: _frozen(value) for name, value in sorted((items or {}).items())}

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return repr(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Config):
            return self._text == other._text
        return self._items == other

    def __hash__(self) -> int:
        return hash(self._text)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, Config):
        return Config(cast("Mapping[str, Any]", value))
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in cast("tuple[Any, ...]", value))
    return value


@dataclass(frozen=True)
class Spec:
    """A registered class by name with those parameters that differ from its defaults.

    It holds what the user set, valid or not, so that a wrong value can be shown where it is.
    """

    class_name: str
    config: Mapping[str, Any] = field(default_factory=Config)

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", Config(self.config))

    @classmethod
    def of(cls, value: Any, registry: Registry[Any]) -> Spec | None:
        """A parameter's value that names a registered class, ``"l2"`` or a mapping, as a Spec.

        None where it is no such value, or where the class is not registered.
        """
        config: Any = {}
        if isinstance(value, Mapping):
            given = cast("Mapping[str, Any]", value)
            value, config = given.get("class_name"), given.get("config") or {}
        if not (isinstance(value, str) and value in registry and isinstance(config, Mapping)):
            return None
        return cls(registry.find(value).__name__, cast("Mapping[str, Any]", config))

    @property
    def value(self) -> Config:
        """The Spec as the value of a parameter; the way back from :meth:`of`."""
        return Config({"class_name": self.class_name, "config": self.config})

    def make(self, registry: Registry[Any]) -> Declared:
        """The object that it describes.

        Raises:
            UnknownNameError: if the class is not in the registry.
            ParameterError: if a parameter is not valid.
        """
        return registry.find(self.class_name).from_config(self.config)


@dataclass(frozen=True)
class Block:
    """A layer in the stack. ``id`` is unique in a project and stays the same through edits."""

    id: int
    layer: Spec


@dataclass(frozen=True)
class DataChoice:
    """Which data to train on: a built-in name, and the options of a synthetic one."""

    name: str
    options: Mapping[str, Any] = field(default_factory=Config)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", Config(self.options))


@dataclass(frozen=True)
class Settings:
    """How to train. Like a Spec it holds what the user set, valid or not (see ``settings``).

    ``metrics`` are watched beside the loss and the usual figure of the data's kind.
    """

    optimizer: Spec = field(default_factory=lambda: Spec("Adam"))
    loss: Spec = field(default_factory=lambda: Spec("CategoricalCrossentropy"))
    epochs: int = 5
    batch_size: int = 32
    validation_split: float = 0.2
    seed: int = 0
    metrics: tuple[Spec, ...] = ()


@dataclass(frozen=True)
class Project:
    """All that a user decides: the stack, the data, and how to train."""

    blocks: tuple[Block, ...] = ()
    data: DataChoice = field(default_factory=lambda: DataChoice("mnist_5k"))
    settings: Settings = field(default_factory=Settings)

    def position(self, block_id: int) -> int:
        """Where in the stack that block is; the first is at 0.

        Raises:
            KeyError: if there is none of that id.
        """
        for position, block in enumerate(self.blocks):
            if block.id == block_id:
                return position
        raise KeyError(block_id)

    def block(self, block_id: int) -> Block:
        """The block of that id.

        Raises:
            KeyError: if there is none.
        """
        return self.blocks[self.position(block_id)]
