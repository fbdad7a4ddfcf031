"""What is wrong with a project, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from studio.engine.errors import Fix, StudioError, one_line
from studio.engine.params import Choice, Param

Place = int | Literal["stack", "data", "settings"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Args:
        message: it in one sentence, and what to do.
        expected: what would have been right.
        found: what was there instead.
        where: the id of the block that it is about, or the part of the project.
        param: the parameter or setting that it is about, such as ``"units"``, if it is about one.
        fixes: edits of the project that mend it, the best one first.
        advice: what to do, as a sentence; part of the message.
        severity: an error keeps training from starting; with a warning it starts, but will hardly
            end well.
    """

    message: str
    expected: str
    found: str
    where: Place
    param: str | None = None
    fixes: tuple[Fix, ...] = ()
    advice: str = ""
    severity: Literal["error", "warning"] = "error"

    def is_as(self, other: Problem) -> bool:
        """Whether both say the same of the same place; fixes are made anew by each check."""
        return (self.where, self.message) == (other.where, other.message)


def problem(
    error: StudioError,
    where: Place,
    *,
    subject: str = "",
    param: str | None = None,
    fixes: tuple[Fix, ...] = (),
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    """A problem from an error.

    Args:
        error: what was expected and found.
        where: as in :class:`Problem`.
        subject: what the sentence is about, such as the label of a parameter.
        param: as in :class:`Problem`.
        fixes: as in :class:`Problem`.
        severity: as in :class:`Problem`.
    """
    start = f"{one_line(subject, 80)}: expected" if subject else "Expected"
    advice = f" {error.advice}" if error.advice else ""
    message = f"{start} {error.expected}, found {error.found}.{advice}"
    return Problem(
        message, error.expected, error.found, where, param, fixes, error.advice, severity
    )


def setting_words(param: Param[Any], value: Any, of: str = "") -> str:
    """What the button says that sets a parameter, as its editor shows the value.

    Args:
        param: what is set.
        value: to what.
        of: whose parameter it is, where that has to be said: ``" of Dense before it"``.
    """
    if isinstance(value, bool):
        return f"Turn {'on' if value else 'off'} {param.label.lower()}{of}"
    return f"Set {param.label.lower()}{of} to {shown(param, value)}"


def shown(param: Param[Any], value: Any) -> str:
    """A value as the editor of the parameter shows it."""
    if value is not None:
        return str(value)
    if isinstance(param, Choice):
        return "default"
    return "none" if hasattr(param, "registry") else "automatic"
