"""Files stay small, and everything public says what it is."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests.architecture.sources import ROOT, python_files, studio_modules

LINES = 400
METHODS = (FunctionType, property, cached_property, classmethod, staticmethod)


@pytest.mark.parametrize("folder", ["studio", "tests"])
def test_no_file_is_longer_than_one_can_read(folder: str) -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for file in python_files(folder)
    }
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def new_methods(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What a module's public classes add to their bases: methods and properties."""
    for name, cls in vars(module).items():
        if inspect.isclass(cls) and cls.__module__ == module.__name__ and name[0] != "_":
            for method, found in vars(cls).items():
                new = method[0] != "_" and not any(hasattr(base, method) for base in cls.__bases__)
                if new and isinstance(found, METHODS):
                    yield f"{module.__name__}.{name}.{method}", found


def test_every_new_public_method_has_a_docstring() -> None:
    silent = [
        path
        for name in studio_modules()
        for path, method in new_methods(importlib.import_module(name))
        if not inspect.getdoc(method)
    ]
    assert silent == []
