"""Shipped files are found, in a checkout and in an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio import resources
from studio.engine.errors import StudioError
from studio.resources import resource


def test_a_shipped_file_is_found() -> None:
    assert resource("datasets", "iris.csv").read_text().startswith("sepal length")


def test_an_installation_has_its_own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "icons").mkdir()
    monkeypatch.setattr(resources, "INSTALLED", tmp_path)
    assert resource("icons") == tmp_path / "icons"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(StudioError, match=r"no_such\.csv.*found none.*Install the program anew"):
        resource("datasets", "no_such.csv")
