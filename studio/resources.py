"""Finds the files that come with the program: data sets, examples, icons, lessons."""

from __future__ import annotations

from pathlib import Path

from studio.engine.errors import StudioError

INSTALLED = Path(__file__).parent / "_resources"
CHECKOUT = Path(__file__).parent.parent / "resources"


def resource(*parts: str) -> Path:
    """A shipped file or folder, such as ``resource("datasets", "iris.csv")``.

    Raises:
        StudioError: if the installation lacks it.
    """
    root = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    path = root.joinpath(*parts)
    if not path.exists():
        raise StudioError(
            "a file that comes with the program", "none", str(path), "Install the program anew."
        )
    return path
