"""Expressions are laid out as ruff would lay them out, and mean what they say."""

import subprocess
import sys

import pytest

from studio.export.source import WIDTH, Call, Name, expression


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.1, "0.1"),
        (None, "None"),
        ("relu", '"relu"'),
        ("it's", '"it\'s"'),
        ('a "b"', "'a \"b\"'"),
        ("back\\slash", '"back\\\\slash"'),
        ((3, 4), "(3, 4)"),
        ((3,), "(3,)"),
        ((), "()"),
        (["a", "b"], '["a", "b"]'),
        (Name("SEED"), "SEED"),
        (Call("f"), "f()"),
        (Call("f", (("", 1), ("b", "c"))), 'f(1, b="c")'),
        (Call("f", (("", [Call("g")]),)), "f(\n    [\n        g(),\n    ]\n)"),
    ],
)
def test_expression(value: object, text: str):
    assert expression(value) == text


def long_call(letters: int) -> Call:
    """A call whose source takes that many letters."""
    return Call("f", (("a", 1), ("b", "x" * (letters - len('f(a=1, b="")')))))


def test_lines_break_just_after_the_width():
    assert len(expression(long_call(WIDTH))) == WIDTH
    assert expression(long_call(WIDTH + 1)).startswith("f(\n    a=1,\n    b=")
    assert "\n" in expression(long_call(WIDTH), before=1)
    assert "\n" in expression(long_call(WIDTH), indent=1)


@pytest.mark.parametrize("letters", [WIDTH - 9, WIDTH - 8, WIDTH - 4, WIDTH, WIDTH + 20])
def test_ruff_changes_nothing(letters: int):
    inner = Call("g", (("", (3, 3)), ("kernel", long_call(letters)), ("name", "a'b")))
    code = "x = " + expression(Call("f", (("", [inner, Call("h")]), ("y", inner))), before=4) + "\n"
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=code, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert formatted == code
