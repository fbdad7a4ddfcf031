"""Everything in this folder is compared with Keras; without Keras it is skipped, visibly."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.parity.worst import WORST

os.environ["KERAS_BACKEND"] = "torch"

KERAS_NOISE = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""What Keras' PyTorch backend causes in NumPy 2."""

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the marker to all tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.parity)
            item.add_marker(pytest.mark.filterwarnings(KERAS_NOISE))


@pytest.fixture(autouse=True)
def same_draws_by_keras() -> None:
    """Keras draws the same numbers whichever tests ran before."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the worst relative difference of each kind."""
    if WORST:
        terminalreporter.section("worst relative differences from Keras")
    for kind, (value, where, count) in sorted(WORST.items()):
        terminalreporter.line(f"{kind:<40} {value:.2e}  of {count}, {where}")
