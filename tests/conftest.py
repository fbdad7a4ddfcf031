"""How the whole suite runs: without a screen, except the tests marked x11."""

from __future__ import annotations

import os

import pytest

from studio.engine import random

REAL_SCREEN = os.environ.get("QT_QPA_PLATFORM") == "xcb" and bool(os.environ.get("DISPLAY"))

if not REAL_SCREEN:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an X server where there is none."""
    for item in items:
        if item.get_closest_marker("x11") and not REAL_SCREEN:
            item.add_marker(pytest.mark.skip("needs DISPLAY and QT_QPA_PLATFORM=xcb"))


@pytest.fixture(autouse=True)
def same_weights_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a seed to each model that is made without one: rounding errors depend on weights too."""
    monkeypatch.setattr(random, "_default", [0])
