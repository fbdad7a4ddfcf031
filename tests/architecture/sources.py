"""The project's own files, as text and as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_files(*folders: str) -> list[Path]:
    """All Python files in folders of the project."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    assert files, f"no Python files in {folders}"
    return sorted(files)


def studio_modules() -> list[str]:
    """The full names of all modules of the program, but the one that starts it."""
    parts = [file.relative_to(ROOT).with_suffix("").parts for file in python_files("studio")]
    names = [".".join(part).removesuffix(".__init__") for part in parts]
    return [name for name in names if name != "studio.__main__"]


def imported(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else node.module or ""
