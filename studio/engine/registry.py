"""Allow-lists of named things, and the parameter kinds that choose among them.

A registry holds the activations, or the losses, or the layers … by Keras' class name, its
snake_case form and aliases. Nothing outside it can be made from a name in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

from studio.engine.errors import unknown_name
from studio.engine.params import REQUIRED, Declared, Param, snake_case

D = TypeVar("D", bound=Declared)
C = TypeVar("C", bound=type[Declared])


class Registry(Generic[D]):
    """Classes by name.

    Args:
        what: the words for one of them in errors: ``"an activation"``.
        base: the class that all of them derive from.
        spelled: how users write a class name: as it is, or in snake_case (``"relu"``).
    """

    def __init__(
        self, what: str, base: type[D], spelled: Callable[[str], str] = snake_case
    ) -> None:
        self.what = what
        self.base = base
        self.spelled = spelled
        self._classes: dict[str, type[D]] = {}
        self._aliases: dict[str, str] = {}

    def register(self, *aliases: str) -> Callable[[C], C]:
        """A class decorator that enters the class under its name, in any of Keras' spellings."""

        def enter(cls: C) -> C:
            name = cls.__name__
            self._classes[name] = cast("type[D]", cls)
            for alias in (name, snake_case(name), name.lower(), *aliases):
                self._aliases[alias] = name
            return cls

        return enter

    def __iter__(self) -> Iterator[type[D]]:
        return iter(self._classes.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names as users write them, in order of registration."""
        return tuple(self.spelled(name) for name in self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._aliases

    def find(self, name: object) -> type[D]:
        """The class of that name.

        Raises:
            UnknownNameError: with the nearest name as advice.
        """
        if not isinstance(name, str) or name not in self._aliases:
            raise unknown_name(name, self.names, self.what)
        return self._classes[self._aliases[name]]

    def make(self, identifier: Any) -> D:
        """An object from a name, a ``{"class_name", "config"}`` mapping, a class, or itself.

        What has a ``registered_name`` stands for the class of that name.

        Raises:
            UnknownNameError: if the name is not registered.
            ParameterError: if the configuration is not valid.
        """
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, Mapping):
            spec = cast("Mapping[str, Any]", identifier)
            config = spec.get("config", {})
            if isinstance(config, str):
                return self.find(config)()
            return self.find(spec.get("class_name")).from_config(config or {})
        if isinstance(identifier, type) and issubclass(cast("type[Any]", identifier), self.base):
            return cast("type[D]", identifier)()
        return self.find(getattr(identifier, "registered_name", identifier))()

    def serialize(self, value: D) -> dict[str, Any]:
        """The mapping that :meth:`make` turns back into an equal object."""
        return {"class_name": type(value).__name__, "config": value.get_config()}


class Named(Param[D]):
    """A parameter whose value is a registered object, such as an activation.

    Args:
        registry: the classes that it may be of.
        default: as of all parameters.
        starts: what an object chosen for it starts with, beside the initial values of its class.
        common: what all parameters have.
    """

    def __init__(
        self,
        registry: Registry[D],
        default: Any = REQUIRED,
        *,
        starts: Mapping[str, Any] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(default, **common)
        self.registry = registry
        self.starts = dict(starts or {})

    def describe(self) -> str:
        return f"the name of {self.registry.what}"

    def convert(self, value: Any) -> D:
        # As in Keras, activation=None stands for the default.
        default = value is None and self.default is not REQUIRED
        return self.registry.make(self.default if default else value)

    def to_config(self, value: D) -> Any:
        if value is None:  # pyright: ignore[reportUnnecessaryComparison]
            return None
        if not _needs_arguments(type(value)) and value == type(value)():
            return snake_case(type(value).__name__)
        return self.registry.serialize(value)

    def in_words(self, value: D) -> str:
        return self.registry.spelled(type(value).__name__)

    def samples(self) -> tuple[list[Any], list[Any]]:
        free: list[Any] = [
            snake_case(cls.__name__) for cls in self.registry if not _needs_arguments(cls)
        ]
        return free, ["no such name", 3.5, ["relu"]]


class NamedList(Param[tuple[D, ...]]):
    """A parameter whose value is a list of registered objects, such as metrics."""

    def __init__(self, registry: Registry[D], default: Any = (), **common: Any) -> None:
        super().__init__(default, **common)
        self.registry = registry
        self.each = Named(registry)

    def describe(self) -> str:
        return f"a list, each of it {self.each.describe()}"

    def convert(self, value: Any) -> tuple[D, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError
        return tuple(self.each.convert(item) for item in cast("list[Any]", value))

    def to_config(self, value: tuple[D, ...]) -> Any:
        return [self.each.to_config(item) for item in value]

    def in_words(self, value: tuple[D, ...]) -> str:
        return ", ".join(self.each.in_words(item) for item in value)

    def samples(self) -> tuple[list[Any], list[Any]]:
        good, bad = self.each.samples()
        return [[], good[:1], good[:3]], ["relu", 3, None, *([item] for item in bad)]


def _needs_arguments(cls: type[Declared]) -> bool:
    return any(param.required for param in cls.params.values())
