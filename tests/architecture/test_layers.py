"""Who may import what. The directions between packages are contracts in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from tests.architecture.sources import ROOT, imported, python_files, studio_modules

QT = ("PySide6", "shiboken6", "pyqtgraph")

IMPORT_ALL = f"""
import importlib, pkgutil, sys
for name in {QT!r}:
    sys.modules[name] = None
import studio

def blocked(name):
    return name.startswith("studio.ui") or name == "studio.__main__"

def walk(package):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not blocked(module.name):
            found = importlib.import_module(module.name)
            print(module.name)
            if module.ispkg:
                walk(found)

walk(studio)
"""


def test_everything_but_the_window_imports_without_qt() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    inside = {name for name in studio_modules() if not name.startswith("studio.ui")}
    assert set(done.stdout.split()) == inside - {"studio"}


def test_the_engine_imports_numpy_and_the_standard_library_only() -> None:
    allowed = {"numpy", *sys.stdlib_module_names}
    for file in python_files("studio/engine"):
        for module in imported(file):
            inside = module == "studio.engine" or module.startswith("studio.engine.")
            assert inside or module.split(".")[0] in allowed, f"{file} imports {module}"


def test_pyright_is_strict_about_every_package_but_the_window() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    strict = set(settings["tool"]["pyright"]["strict"])
    packages = {f"studio/{file.parent.name}" for file in (ROOT / "studio").glob("*/__init__.py")}
    assert packages - {"studio/ui"} <= strict
    assert "studio/*.py" in strict
