"""The base of all kinds of declared parameters."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast, overload

from studio.engine.errors import ParameterError, StudioError

T = TypeVar("T")
REQUIRED: Any = inspect.Parameter.empty
RANK = 32
"""How many sizes, or axes, an array has at most."""


class Param(Generic[T]):
    """One declared parameter: kind, bounds, default, label and help.

    Args:
        default: the value where the caller gives none; without it the parameter is required.
        optional: whether ``None`` is a value.
        label: its name in the property panel.
        help: one sentence for the tooltip.
        advanced: whether the property panel folds it away.
        initial: the value in a newly inserted block, where that is not the default.
        after: the inherited parameter that it follows in the constructor, where it does not come
            before all inherited ones.
    """

    changes: ClassVar[int] = 0
    """How often a setting of any object was set anew: what was made of it may not hold any longer.
    """
    numeric: ClassVar[bool] = False
    """Whether its values are numbers or lists of them: what a user types is then read as such."""

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        optional: bool = False,
        label: str = "",
        help: str = "",
        advanced: bool = False,
        initial: Any = REQUIRED,
        after: str = "",
    ) -> None:
        self.default = default
        self.optional = optional
        self.label = label
        self.help = help
        self.advanced = advanced
        self.initial = default if initial is REQUIRED else initial
        self.after = after
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.label = self.label or name.replace("_", " ").capitalize()

    if TYPE_CHECKING:
        # At run time there is none, so that Python reads the value from the object by itself.
        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> T: ...
        def __get__(self, instance: object | None, owner: type) -> Self | T: ...

    def __set__(self, instance: object, value: Any) -> None:
        settings = instance.__dict__
        if self.name in settings:
            Param.changes += 1
        settings[self.name] = self.checked(value, type(instance).__name__)

    @property
    def required(self) -> bool:
        """Whether the constructor must be given a value."""
        return self.default is REQUIRED

    @property
    def expected(self) -> str:
        """The valid values in words."""
        return self.describe() + (" or None" if self.optional else "")

    def checked(self, value: Any, where: str = "") -> T:
        """The value in its normal form.

        Raises:
            ParameterError: if the value is not valid; the text says which values are.
        """
        if value is None and self.optional:
            return cast("T", None)
        try:
            return self.convert(value)
        except StudioError as error:
            raise error.at(f"{where} {self.name}".strip()) from None
        except (TypeError, ValueError, OverflowError):
            found = repr(value)
            found = found if len(found) <= 80 else found[:77] + "…"
            raise ParameterError(self.expected, found, f"{where} {self.name}".strip()) from None

    @abstractmethod
    def describe(self) -> str:
        """The valid values in words, without None."""

    @abstractmethod
    def convert(self, value: Any) -> T:
        """The value in its normal form; ValueError or TypeError where it has none."""

    def to_config(self, value: T) -> Any:
        """The value as JSON can hold it."""
        return value

    def in_words(self, value: T) -> str:
        """The value for the face of a block, where space is short: ``"rate 0.5"``."""
        return f"{self.label.lower()} {value}"

    @abstractmethod
    def samples(self) -> tuple[list[Any], list[Any]]:
        """Some valid and some invalid values, for tests that check every declaration."""
