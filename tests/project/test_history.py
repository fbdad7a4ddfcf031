"""Undo and redo over random edits."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.layers import registry as layers
from studio.project import edits
from studio.project.history import LIMIT, History, subject
from studio.project.values import DataChoice, Project
from tests.project.stacks import stack

NAMES = [cls.__name__ for cls in layers if cls.category]


def edit(project: Project, draw: st.DrawFn) -> Project:
    """A random edit."""
    ids = [block.id for block in project.blocks]
    kinds = ["insert", "settings"] + ["remove", "move", "duplicate", "name"] * bool(ids)
    kind = draw(st.sampled_from(kinds))
    if kind == "insert":
        return edits.insert_block(project, draw(st.integers(0, 9)), draw(st.sampled_from(NAMES)))
    if kind == "settings":
        return edits.set_settings(project, epochs=draw(st.integers(-1, 5)))
    block = draw(st.sampled_from(ids))
    if kind == "remove":
        return edits.remove_blocks(project, [block])
    if kind == "move":
        return edits.move_block(project, block, draw(st.integers(0, 9)))
    if kind == "duplicate":
        return edits.duplicate_block(project, block)
    return edits.set_param(project, block, "name", draw(st.one_of(st.none(), st.text(max_size=3))))


@st.composite
def projects(draw: st.DrawFn) -> list[Project]:
    """A project and what some edits in a row made of it."""
    states = [Project()]
    for _ in range(draw(st.integers(0, 12))):
        states.append(edit(states[-1], draw))
    return states


@given(projects())
def test_undo_all_gives_the_first_value_and_redo_all_the_last(states: list[Project]):
    history = History(states[0])
    for state in states[1:]:
        history = history.push("Edit", state)
    last = history.current
    assert last == states[-1]
    while history.can_undo:
        history = history.undo()
    assert history.current is states[0]
    while history.can_redo:
        history = history.redo()
    assert history.current is last


@given(projects())
def test_ids_stay_unique(states: list[Project]):
    for state in states:
        ids = [block.id for block in state.blocks]
        assert len(set(ids)) == len(ids)
        assert all(number > 0 for number in ids)


def epochs(count: int) -> Project:
    return edits.set_settings(Project(), epochs=count)


def test_burst_is_one_step():
    history = History(epochs(1)).push("Set epochs to 2", epochs(2), merge="epochs")
    history = history.push("Set epochs to 20", epochs(20), merge="epochs")
    assert history.undo_label == "Set epochs to 20"
    history = history.undo()
    assert history.current == epochs(1)
    assert not history.can_undo
    assert history.redo_label == "Set epochs to 20"
    assert history.redo().current == epochs(20)


def test_bursts_end_with_another_edit_and_with_undo():
    history = History(epochs(1)).push("a", epochs(2), merge="epochs").push("b", epochs(3))
    history = history.push("c", epochs(4), merge="epochs")
    assert len(history.past) == 3
    history = history.undo().push("d", epochs(5), merge="epochs")
    assert [step.label for step in history.past] == ["a", "b", "d"]
    assert not history.can_redo


def test_edit_without_a_change_is_no_step():
    history = History(epochs(1))
    assert history.push("nothing", epochs(1)) is history


def test_burst_that_comes_back_is_no_step():
    before = History(epochs(1)).push("Set epochs", epochs(2), merge="epochs")
    history = before.push("Set units", epochs(3), merge="units")
    history = history.push("Set units", epochs(2), merge="units")
    assert (history.current, history.past) == (before.current, before.past)
    history = history.push("Set units", epochs(4), merge="units")
    assert history.undo().current == epochs(2)


def test_undo_and_redo_at_the_ends_change_nothing():
    history = History(epochs(1))
    assert history.undo() is history
    assert history.redo() is history
    assert history.undo_label == history.redo_label == ""


STACK = stack(*("Flatten" for _ in range(4)))


@pytest.mark.parametrize(
    ("edit", "undone", "redone"),
    [
        (lambda project: edits.insert_block(project, 1, "Dense"), 2, 5),
        (lambda project: edits.insert_block(project, 4, "Dense"), 4, 5),
        (lambda project: edits.remove_blocks(project, [2]), 2, 3),
        (lambda project: edits.remove_blocks(project, [4]), 4, 3),
        (lambda project: edits.remove_blocks(project, [1, 2, 3, 4]), 1, None),
        (lambda project: edits.set_param(project, 3, "name", "mine"), 3, 3),
        (lambda project: edits.move_block(project, 4, 0), 4, 4),
        (lambda project: edits.move_block(project, 1, 3), 1, 1),
        (lambda project: edits.set_settings(project, epochs=9), None, None),
        (lambda project: edits.set_data(project, DataChoice("iris")), None, None),
    ],
)
def test_the_block_that_an_edit_was_about(
    edit: Callable[[Project], Project], undone: int | None, redone: int | None
):
    assert subject(edit(STACK), STACK) == undone
    assert subject(STACK, edit(STACK)) == redone


def test_of_two_blocks_that_changed_places_it_is_the_chosen_one():
    swapped = edits.move_block(STACK, 2, 2)
    assert [subject(swapped, STACK, one) for one in (2, 3, 4)] == [2, 3, 2]


def test_history_is_bounded():
    history = History(epochs(0))
    for count in range(1, LIMIT + 10):
        history = history.push("more", epochs(count))
    assert len(history.past) == LIMIT
