"""Python expressions as text, laid out as ruff and black do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

WIDTH = 88


@dataclass(frozen=True)
class Call:
    """A call. Arguments are (keyword or "", value); values are Python values or further calls."""

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Name:
    """A name or any other text that stands as it is."""

    text: str


def expression(value: Any, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """The value as source: in one line where it fits, else one argument per line.

    Args:
        value: a Call, a Name, a list of them, or a Python value. A list of calls always takes a
            line for each.
        indent: how many blanks its line starts with.
        before: how many other letters stand before it on its line.
        after: how many stand behind it.
    """
    line = _one_line(value)
    fits = indent + before + len(line) + after <= WIDTH and not _is_tall(value)
    if fits or not isinstance(value, Call | list):
        return line
    opening, closing = (f"{value.name}(", ")") if isinstance(value, Call) else ("[", "]")
    items = _items(value)
    # The one list in a call closes without a comma, as black has it.
    comma = "" if isinstance(value, Call) and len(items) == 1 and _is_tall(items[0][1]) else ","
    lines = [_argument(name, item, indent + 4) + comma for name, item in items]
    return "\n".join([opening, *lines, " " * indent + closing])


def _argument(name: str, value: Any, indent: int) -> str:
    start = f"{name}=" if name else ""
    return " " * indent + start + expression(value, indent, len(start), 1)


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Call):
        return list(value.arguments)
    return [("", item) for item in cast("list[Any]", value)]


def _is_tall(value: Any) -> bool:
    """Whether it has a list of calls in it."""
    if isinstance(value, list):
        return any(isinstance(item, Call) for item in cast("list[Any]", value))
    return isinstance(value, Call) and any(_is_tall(item) for _, item in value.arguments)


def _one_line(value: Any) -> str:
    if isinstance(value, Name):
        return value.text
    if isinstance(value, Call | list):
        parts = [(f"{name}=" if name else "") + _one_line(item) for name, item in _items(value)]
        text = ", ".join(parts)
        return f"{value.name}({text})" if isinstance(value, Call) else f"[{text}]"
    if isinstance(value, tuple):
        items = [_one_line(item) for item in cast("tuple[Any, ...]", value)]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """In double quotes, unless the text has some itself."""
    plain = repr(text)
    return plain if '"' in plain or "\\'" in plain else f'"{plain[1:-1]}"'
