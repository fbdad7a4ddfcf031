"""Undo and redo: a list of values, nothing more."""

from __future__ import annotations

from dataclasses import dataclass

from studio.project.values import Project

LIMIT = 1000
"""How many steps back are kept."""


@dataclass(frozen=True)
class Step:
    """An edit by its label, and the project on the other side of it."""

    label: str
    project: Project


@dataclass(frozen=True)
class History:
    """The current project, what was before it, and what was undone.

    ``History(project)`` starts one. A project counts as unmodified while ``current`` is the very
    value that was saved; undoing back to it brings that value back.
    """

    current: Project
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    burst: str | None = None

    def push(self, label: str, project: Project, merge: str | None = None) -> History:
        """The history after an edit; an edit that changed nothing leaves no step.

        Args:
            label: what undo and redo call the edit: ``"Set units to 64"``.
            project: the edited project.
            merge: edits in a row with the same key become one step, which undo takes back as a
                whole: the keystrokes in one field, the moves of one slider.
        """
        if project == self.current:
            return self
        if merge is not None and merge == self.burst:
            past = (*self.past[:-1], Step(label, self.past[-1].project))
        else:
            past = (*self.past, Step(label, self.current))[-LIMIT:]
        return History(project, past, burst=merge)

    def undo(self) -> History:
        """The history one step back; the same where there is none."""
        if not self.past:
            return self
        *past, step = self.past
        return History(step.project, tuple(past), (Step(step.label, self.current), *self.future))

    def redo(self) -> History:
        """The history with the last undone step done again; the same where there is none."""
        if not self.future:
            return self
        step, *future = self.future
        return History(step.project, (*self.past, Step(step.label, self.current)), tuple(future))

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was undone."""
        return bool(self.future)

    @property
    def undo_label(self) -> str:
        """What the next undo takes back, or an empty text."""
        return self.past[-1].label if self.past else ""

    @property
    def redo_label(self) -> str:
        """What the next redo does again, or an empty text."""
        return self.future[0].label if self.future else ""
