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

    ``History(project)`` starts one. Undo brings back the very values that were there before.
    """

    current: Project
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    burst: str | None = None

    def push(self, label: str, project: Project, merge: str | None = None) -> History:
        """The history after an edit; an edit, or a burst of them, that changed nothing is no step.

        Args:
            label: what undo and redo call the edit: ``"Set units to 64"``.
            project: the edited project.
            merge: edits in a row with the same key become one step, which undo takes back as a
                whole: the keystrokes in one field, the moves of one slider.
        """
        if project == self.current:
            return self
        if merge is not None and merge == self.burst:
            if project == self.past[-1].project:
                return History(self.past[-1].project, self.past[:-1])
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


def subject(before: Project, after: Project, chosen: int | None = None) -> int | None:
    """The block that an edit was about: new, changed or moved, or the neighbour of one that went.

    Args:
        before: the project before the edit.
        after: the project after it.
        chosen: stays where it may be the one, or where the edit was not about a block.
    """
    if (before.data, before.settings) != (after.data, after.settings):
        return chosen
    old, new = ({block.id: block for block in project.blocks} for project in (before, after))
    ids = [*new]
    found = [block_id for block_id, block in new.items() if old.get(block_id) != block]
    gone = [position for position, block_id in enumerate(old) if block_id not in new]
    if not found and gone:
        found = ids[gone[0] : gone[0] + 1] or ids[-1:]
    elif not found and ids != [*old]:
        found = [one for one in ids if _without(one, ids) == _without(one, [*old])]
    return chosen if chosen in found or not found else found[0]


def _without(one: int, ids: list[int]) -> list[int]:
    return [other for other in ids if other != one]
