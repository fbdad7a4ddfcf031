"""What is laid out once and done in every step: the same as doing it anew, wherever arrays lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine.plan import MOST_PLANS, Calls, Do, ahead, at_once, meet
from studio.engine.sums import fold
from studio.engine.workspace import ALONE, Array, Context, Workspace


class Doubler:
    """Doubles an array and adds a weight, and counts how often that is laid out."""

    def __init__(self, context: Context) -> None:
        self.context, self.laid = context, 0
        self.weight = np.ones(1)

    def __call__(self, x: Array) -> Array:
        def lay(do: Do, x: Array) -> Array:
            self.laid += 1
            y = self.context.workspace.array("y", x.shape, x.dtype)
            do(np.multiply, x, 2, out=y)
            do(np.add, y, self.weight, out=y)
            return y

        return self.context.planned("doubled", x, (self.weight,), lay)


def test_laid_out_once_for_an_array_that_stays() -> None:
    double, x = Doubler(Context()), np.arange(3.0)
    for number in range(5):
        x += 1
        double.weight[0] = number
        np.testing.assert_array_equal(double(x), 2 * x + number)
        # The same memory, looked at once more.
        np.testing.assert_array_equal(double(x[:]), 2 * x + number)
    assert double.laid == 1


def test_an_array_that_moves_is_copied() -> None:
    double = Doubler(Context())
    arrays = [np.full(3, float(number)) for number in range(6)]
    for array in arrays:
        np.testing.assert_array_equal(double(array), 2 * array + 1)
    assert double.laid == 2


def test_other_weights_are_other_plans() -> None:
    double, x = Doubler(Context()), np.arange(3.0)
    double(x)
    double.weight = np.full(1, 5.0)
    np.testing.assert_array_equal(double(x), 2 * x + 5)
    double.context.linear_output = True
    double(x)
    assert double.laid == 3


def test_sizes_take_turns() -> None:
    double = Doubler(Context())
    large, small = np.arange(8.0), np.arange(3.0)
    for _ in range(4):
        for x in (large, small):
            np.testing.assert_array_equal(double(x), 2 * x + 1)
    assert double.laid == 2


def test_laid_out_again_when_its_memory_has_been_replaced() -> None:
    double = Doubler(Context())
    small, large = np.arange(3.0), np.arange(8.0)
    double(small)
    y = double(large)
    assert np.shares_memory(double(small), y)
    assert double.laid == 3
    # Scratch memory is shared with other layers.
    double.context.scratch.array("more", (5,), "float32")
    double(small)
    assert double.laid == 4


def test_plans_do_not_pile_up() -> None:
    double = Doubler(Context())
    double(np.zeros(3 * MOST_PLANS))
    for size in range(1, 3 * MOST_PLANS):
        double(np.zeros(size))
    assert double.context.plans is not None
    assert len(double.context.plans) <= MOST_PLANS


def test_what_is_done_at_a_meeting() -> None:
    done: list[str] = []
    calls = Calls()
    ahead(calls, done.append, "at its place")
    calls(done.append, "first")
    meet(calls, ALONE, [lambda: done.append("met")])
    calls(done.append, "after")
    ahead(calls, done.append, "ahead")
    assert done == []
    for _ in range(2):
        done.clear()
        calls.make()
        assert done == ["at its place", "first", "met", "ahead", "after"]
    done.clear()
    meet(at_once, ALONE, [lambda: done.append("met")])
    ahead(at_once, done.append, "now")
    assert done == ["met", "now"]


def test_without_reuse_everything_is_new() -> None:
    double, x = Doubler(Context(workspace=Workspace(reuse=False))), np.arange(3.0)
    assert double(x) is not double(x)
    assert double.laid == 2


def test_a_name_of_two_types_is_two_arrays() -> None:
    space = Workspace()
    single, double = (space.array("x", (3,), dtype) for dtype in ("float32", np.float64))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert space.array("x", (3,), np.float32) is single
    assert space.array("x", (3,), "float64") is double
    assert space.allocations == 2


@pytest.mark.parametrize("rows", [3, 3000])
def test_arrays_of_other_shapes_and_types(rows: int) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 4)).astype("float32")
    line, column = x[0].copy(), x[:, :1].copy()
    passes, whole = x > 0, np.arange(rows * 4).reshape(rows, 4)
    cases: list[tuple[np.ufunc, list[Any], Any]] = [
        (np.add, [x, line], x.dtype),
        (np.subtract, [column, x], x.dtype),
        (np.multiply, [x, passes], x.dtype),
        (np.multiply, [line, column], x.dtype),
        (np.divide, [x, 3.0], x.dtype),
        (np.multiply, [whole, x], np.float64),
        (np.greater, [x, column], bool),
        (np.vecdot, [x, line], x.dtype),
        (np.negative, [line], x.dtype),
    ]
    for function, values, dtype in cases:
        wanted = function(*values).astype(dtype)
        out = np.empty(wanted.shape if function is not np.negative else x.shape, dtype)
        calls = Calls()
        calls(function, *values, out=out)
        for _ in range(2):
            calls.make()
        np.testing.assert_array_equal(out, np.broadcast_to(wanted, out.shape))
    calls, place, gaps = Calls(), x.copy(), np.zeros((rows, 8), "float32")
    calls(np.subtract, place, place[:, :1], out=place)
    calls(np.add, place, line, out=gaps[:, ::2])
    calls.make()
    np.testing.assert_array_equal(place, x - column)
    np.testing.assert_array_equal(gaps[:, ::2], place + line)


def test_what_is_repeated_may_change() -> None:
    x, line, y, calls = np.ones((5, 3)), np.zeros(3), np.empty((5, 3)), Calls()
    calls(np.add, x, line, out=y)
    for number in range(3):
        line[:] = number
        calls.make()
        np.testing.assert_array_equal(y, x + number)


@pytest.mark.parametrize("function", [np.fmax, np.add])
@pytest.mark.parametrize("shape", [(6, 1), (6, 3), (2, 3, 3), (200, 12), (6, 40)])
def test_numbers_of_each_row_are_joined(function: np.ufunc, shape: tuple[int, ...]) -> None:
    rows = np.random.default_rng(1).normal(size=shape)
    for values in (rows, np.asfortranarray(rows)):
        out = np.empty((*shape[:-1], 1))
        fold(function, values, out, at_once)
        np.testing.assert_allclose(out, function.reduce(rows, axis=-1, keepdims=True), rtol=1e-14)
