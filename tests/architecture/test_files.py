"""Files stay small, and everything public says what it is."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.architecture.sources import ROOT, python_files, studio_modules

LINES = 400


@pytest.mark.parametrize("folder", ["studio", "tests"])
def test_no_file_is_longer_than_one_can_read(folder: str) -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in python_files(folder)
    }
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def public_methods(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The methods and properties of a module's own public classes."""
    for name, item in vars(module).items():
        if inspect.isclass(item) and item.__module__ == module.__name__ and name[0] != "_":
            for method in vars(item):
                found = inspect.getattr_static(item, method)
                if method[0] != "_" and (
                    inspect.isroutine(found) or isinstance(found, property | classmethod)
                ):
                    yield f"{module.__name__}.{name}.{method}", getattr(item, method)


def test_public_methods_have_a_docstring_of_their_own_or_of_what_they_override() -> None:
    silent = [
        path
        for name in studio_modules()
        for path, method in public_methods(importlib.import_module(name))
        if not inspect.getdoc(method)
    ]
    assert silent == []
