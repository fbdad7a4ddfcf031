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
    """The value as source.

    Args:
        value: a Call, a Name, a list of them, or a Python value.
        indent: how many blanks its line starts with.
        before: how many other letters stand before it on its line.
        after: how many stand behind it.
    """
    line = _one_line(value)
    if indent + before + len(line) + after <= WIDTH or not isinstance(value, Call | list):
        return line
    opening, closing = (f"{value.name}(", ")") if isinstance(value, Call) else ("[", "]")
    items = value.arguments if isinstance(value, Call) else [("", item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    lines = [_argument(key, item, indent + 4) for key, item in items]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return "\n".join([opening, *lines, " " * indent + closing])


def _argument(key: str, value: Any, indent: int) -> str:
    start = f"{key}=" if key else ""
    return " " * indent + start + expression(value, indent, len(start), 1) + ","


def _one_line(value: Any) -> str:
    if isinstance(value, Name):
        return value.text
    if isinstance(value, Call):
        parts = [
            f"{key}={_one_line(item)}" if key else _one_line(item) for key, item in value.arguments
        ]
        return f"{value.name}({', '.join(parts)})"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        items = cast("tuple[Any, ...]", value)
        text = ", ".join(_one_line(item) for item in items)
        if isinstance(value, list):
            return f"[{text}]"
        return f"({text},)" if len(items) == 1 else f"({text})"
    return repr(value)


def _quoted(text: str) -> str:
    """In double quotes, unless that would need escapes that single ones don't."""
    plain = repr(text)
    if plain.startswith('"') or '"' in text:
        return plain
    return f'"{plain[1:-1]}"'
