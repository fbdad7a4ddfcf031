"""Declared hyperparameters: one declaration makes check, error text, editor and file.

A class that derives from :class:`Declared` lists its parameters as class attributes, in the order
of its constructor::

    class Dropout(Layer):
        rate = Real(minimum=0, below=1, label="Rate", help="The fraction of values set to zero.")
        seed = Integer(None, minimum=0, optional=True, label="Seed", help="…")

``Dropout(0.5)`` then checks the value, ``Dropout.params`` describes the editors, ``get_config`` and
``from_config`` are the way to and from JSON.
"""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, cast

import numpy as np

from studio.engine.errors import ParameterError, unknown_name
from studio.engine.param import RANK, REQUIRED, Param


class Integer(Param[int]):
    """A whole number within bounds, both included."""

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        **common: Any,
    ) -> None:
        super().__init__(default, **common)
        self.minimum = minimum
        self.maximum = maximum

    def describe(self) -> str:
        return "a whole number" + _bounds(self.minimum, self.maximum)

    def convert(self, value: Any) -> int:
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
            raise TypeError
        number = int(value)
        if (self.minimum is not None and number < self.minimum) or (
            self.maximum is not None and number > self.maximum
        ):
            raise ValueError
        return number

    def in_words(self, value: int) -> str:
        return f"{value} {self.label.lower()}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        low = 1 if self.minimum is None else self.minimum
        high = low + 2 if self.maximum is None else self.maximum
        bad: list[Any] = [2.5, "three", True, [1], math.nan]
        if self.minimum is not None:
            bad.append(self.minimum - 1)
        if self.maximum is not None:
            bad.append(self.maximum + 1)
        return [low, high], bad


class Real(Param[float]):
    """A finite real number; ``above`` and ``below`` exclude the bound, the other two include it."""

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        above: float | None = None,
        below: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(default, **common)
        self.minimum = minimum
        self.maximum = maximum
        self.above = above
        self.below = below

    def describe(self) -> str:
        return "a number" + _bounds(self.minimum, self.maximum, self.above, self.below)

    def convert(self, value: Any) -> float:
        if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
            raise TypeError
        number = float(value)
        inside = (
            math.isfinite(number)
            and (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )
        if not inside:
            raise ValueError
        return number

    def in_words(self, value: float) -> str:
        return f"{self.label.lower()} {value:g}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        low = self.minimum if self.minimum is not None else self.above
        high = self.maximum if self.maximum is not None else self.below
        low = (0.0 if high is None else high - 1.0) if low is None else low
        high = low + 1.0 if high is None else high
        bad: list[Any] = ["half", math.nan, math.inf, True, [0.5]]
        if self.minimum is not None:
            bad.append(self.minimum - 0.01)
        if self.maximum is not None:
            bad.append(self.maximum + 0.01)
        bad.extend(bound for bound in (self.above, self.below) if bound is not None)
        return [low + 0.25 * (high - low), low + 0.5 * (high - low)], bad


class Boolean(Param[bool]):
    """Yes or no."""

    def describe(self) -> str:
        return "True or False"

    def convert(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, np.bool_):
            return bool(value)  # pyright: ignore[reportUnknownArgumentType]
        raise TypeError

    def in_words(self, value: bool) -> str:
        return self.label.lower() if value else f"no {self.label.lower()}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        return [True, False], ["yes", 1, 0.5]


class Choice(Param[str]):
    """One of some words."""

    def __init__(self, default: Any = REQUIRED, *, options: Iterable[str], **common: Any) -> None:
        super().__init__(default, **common)
        self.options = tuple(options)

    def describe(self) -> str:
        return "one of " + ", ".join(repr(option) for option in self.options)

    def convert(self, value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in self.options:
            raise ValueError
        return value.lower()

    def in_words(self, value: str) -> str:
        return value

    def samples(self) -> tuple[list[Any], list[Any]]:
        return list(self.options), ["no such option", 3]


class Text(Param[str]):
    """A short text; names of layers, mostly."""

    def describe(self) -> str:
        return "a text of 1 to 100 characters without '/'"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if not 1 <= len(value) <= 100 or "/" in value:
            raise ValueError
        return value

    def samples(self) -> tuple[list[Any], list[Any]]:
        return ["name"], ["", "a/b", 3]


class Integers(Param[tuple[int, ...]]):
    """A tuple of whole numbers: a kernel size, strides, a target shape.

    One number stands for ``length`` equal ones, as in Keras, or for itself where any number fits.
    With ``gaps``, None may stand in place of a number.
    """

    numeric = True

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        length: int | None = None,
        minimum: int | None = 1,
        gaps: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(default, **common)
        self.length = length
        self.minimum = minimum
        self.gaps = gaps

    def describe(self) -> str:
        count = f"up to {RANK}" if self.length is None else str(self.length)
        words = f"{count} whole number{'' if self.length == 1 else 's'}" + _bounds(self.minimum)
        return f"{words} (None for any)" if self.gaps else words

    def convert(self, value: Any) -> tuple[int, ...]:
        one = Integer(minimum=self.minimum)
        if isinstance(value, numbers.Integral):
            return (one.convert(value),) * (self.length or 1)
        if not isinstance(value, list | tuple):
            raise TypeError
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        if len(items) > RANK or (self.length is not None and len(items) != self.length):
            raise ValueError
        gap = cast("int", None)
        return tuple(gap if self.gaps and item is None else one.convert(item) for item in items)

    def to_config(self, value: tuple[int, ...]) -> Any:
        return None if value is None else list(value)  # pyright: ignore[reportUnnecessaryComparison]

    def in_words(self, value: tuple[int, ...]) -> str:
        sizes = "×".join(str(size) for size in value)
        return sizes if "size" in self.name else f"{self.label.lower()} {sizes}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        low = 1 if self.minimum is None else self.minimum
        good: list[Any] = [[low] * (self.length or 2), [low + 1] * (self.length or 2)]
        bad: list[Any] = ["3x3", [1.5] * (self.length or 2), 2.5]
        if self.minimum is not None:
            bad.append([self.minimum - 1] * (self.length or 2))
        if self.length is not None:
            bad.append([low] * (self.length + 1))
        return good, bad


class Reals(Param[tuple[float, ...]]):
    """Some numbers; with ``single``, one number may stand for itself."""

    numeric = True

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        single: bool = False,
        minimum: float | None = None,
        maximum: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(default, **common)
        self.single = single
        self.each = Real(minimum=minimum, maximum=maximum)

    def describe(self) -> str:
        bounds = _bounds(self.each.minimum, self.each.maximum)
        return ("one or several numbers" if self.single else "a list of numbers") + bounds

    def convert(self, value: Any) -> tuple[float, ...]:
        if self.single and isinstance(value, numbers.Real):
            return (self.each.convert(value),)
        if not isinstance(value, list | tuple) or not value:
            raise TypeError
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return tuple(self.each.convert(item) for item in items)

    def to_config(self, value: tuple[float, ...]) -> Any:
        if value is None:  # pyright: ignore[reportUnnecessaryComparison]
            return None
        return value[0] if self.single and len(value) == 1 else list(value)

    def in_words(self, value: tuple[float, ...]) -> str:
        return f"{self.label.lower()} {', '.join(f'{number:g}' for number in value)}"

    def samples(self) -> tuple[list[Any], list[Any]]:
        good, bad = self.each.samples()
        return [[number] for number in good] + [good], [[number] for number in bad] + [[], "1, 2"]


def _bounds(
    minimum: float | None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> str:
    parts = [
        f"{words} {bound:g}"
        for words, bound in (
            ("of at least", minimum),
            ("above", above),
            ("at most", maximum),
            ("below", below),
        )
        if bound is not None
    ]
    return " " + " and ".join(parts) if parts else ""


class _Signature:
    """The signature of a declared class, made when somebody asks for it: most are never."""

    def __get__(self, instance: object, owner: type[Declared]) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        ordered = sorted(owner.params.values(), key=lambda param: not param.required)
        return inspect.Signature(
            [inspect.Parameter(param.name, kind, default=param.default) for param in ordered]
        )


class Declared:
    """Base of everything with declared parameters: layers, optimizers, losses, regularizers.

    Keyword and positional arguments follow the order of the declarations. Keras' ``get_config`` and
    ``from_config`` come from them too.
    """

    params: ClassVar[Mapping[str, Param[Any]]] = {}
    __signature__ = _Signature()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found = cast("dict[str, Param[Any]]", vars(cls))
        own = {name: value for name, value in found.items() if isinstance(value, Param)}  # pyright: ignore[reportUnnecessaryIsInstance]
        inherited = {name: value for name, value in cls.params.items() if name not in own}
        cls.params = _in_order({**own, **inherited})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = list(type(self).params)
        label = type(self).__name__
        if len(args) > len(names):
            raise ParameterError(
                f"at most {len(names)} arguments", f"{len(args)}", label, "See its documentation."
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in type(self).params:
                raise unknown_name(name, names, "an argument", label)
            if name in given:
                raise ParameterError(f"one value of {name}", "two", label)
            given[name] = value
        for name, param in type(self).params.items():
            if name not in given and param.required:
                raise ParameterError(param.expected, "nothing", f"{label} {name}")
            setattr(self, name, given.get(name, param.default))

    def get_config(self) -> dict[str, Any]:
        """The parameters as JSON can hold them; ``from_config`` makes an equal object of them."""
        cls = type(self)
        return {name: cls.params[name].to_config(getattr(self, name)) for name in cls.params}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An object from what ``get_config`` returned.

        Raises:
            ParameterError: if a value is not valid.
            UnknownNameError: if there is a parameter that is not declared.
        """
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Declared) or type(self) is not type(other):
            return False
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.get_config())))

    def __repr__(self) -> str:
        cls = type(self)
        said = ", ".join(
            f"{name}={value!r}"
            for name, value in self.get_config().items()
            if value != _default_config(cls.params[name])
        )
        return f"{cls.__name__}({said})"


def _in_order(params: Mapping[str, Param[Any]]) -> Mapping[str, Param[Any]]:
    """The parameters in the constructor's order: those that say ``after`` behind what they name."""
    names = [name for name, param in params.items() if not param.after]
    for name, param in params.items():
        if param.after:
            names.insert(names.index(param.after) + 1, name)
    return {name: params[name] for name in names}


def _default_config(param: Param[Any]) -> Any:
    return REQUIRED if param.required else param.to_config(param.checked(param.default))


def snake_case(name: str) -> str:
    """``Conv2D`` → ``conv2d``, ``MaxPooling2D`` → ``max_pooling2d``, as Keras names its layers."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()
