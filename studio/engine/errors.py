"""The errors of the whole program: what was expected, what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import shorten
from typing import Any

LONGEST = 200
"""How many characters of what was found, or of its place, are told."""


@dataclass(frozen=True)
class Fix:
    """A change that mends an error: a label for a button and a pure edit of a value."""

    label: str
    edit: Callable[[Any], Any]


def one_line(text: str, limit: int = LONGEST) -> str:
    """A text from somewhere as part of a message: cut, and nothing in it that is not printed."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class StudioError(Exception):
    """An error that the user can act on.

    Args:
        expected: what would have been right, as words: ``"a whole number of at least 1"``.
        found: what was there instead, as words.
        where: the layer, parameter, file and row that it is about.
        advice: what to do about it, as a sentence.
        fix: an edit that mends it, where one exists.
    """

    def __init__(
        self, expected: str, found: str, where: str = "", advice: str = "", fix: Fix | None = None
    ) -> None:
        self.expected = one_line(expected)
        self.found = one_line(found)
        self.where = one_line(where)
        self.advice = advice
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        """One line: where, what was expected, what was found, what to do."""
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.advice}" if self.advice else ""
        return f"{place}expected {self.expected}, found {self.found}{advice}"

    def at(self, where: str) -> StudioError:
        """The same error, placed further out: ``where`` goes before the place it has."""
        self.where = one_line(f"{where}, {self.where}" if self.where else where)
        self.args = (str(self),)
        return self


class ParameterError(StudioError, ValueError):
    """A declared parameter has a value outside its kind or bounds."""


class UnknownNameError(StudioError, ValueError):
    """A name is not among the known ones."""


class ShapeError(StudioError, ValueError):
    """An array or a layer's input has a shape that does not fit."""


class DataError(StudioError, ValueError):
    """Data have a wrong type, wrong labels, missing values, or are empty."""


class StateError(StudioError, RuntimeError):
    """Something was asked for in the wrong order, such as fit before compile."""


class NumericsError(StudioError, ArithmeticError):
    """A value became NaN or infinite while training."""


class FormatError(StudioError, ValueError):
    """A file is damaged, or not of the format that it should have."""


def dimensions(count: int) -> str:
    """How many dimensions a sample has, in words."""
    return f"{count} dimension{'' if count == 1 else 's'} per sample"


def unknown_name(
    name: object, known: Iterable[str], what: str, where: str = ""
) -> UnknownNameError:
    """The error for a name that is not among ``known``, with the nearest one as advice."""
    names = sorted(known)
    folded = {candidate.lower(): candidate for candidate in names}
    near = get_close_matches(str(name).lower(), folded, n=1)
    listed = shorten(", ".join(names), LONGEST, placeholder=" …") or "none"
    advice = f"Did you mean {folded[near[0]]!r}?" if near else f"Known: {listed}."
    return UnknownNameError(f"the name of {what}", repr(name), where, advice)
