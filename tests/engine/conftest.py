"""What several tests of the engine need."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from studio.engine.layers import channels, columns, tiles


@pytest.fixture
def forget_cuts() -> Iterator[Callable[[], None]]:
    """Forgets how work was cut, which is computed once per shape; in the end by itself."""

    def forget() -> None:
        for found in (columns._pieces, columns._groups, tiles._tile, channels.channels_of):
            found.cache_clear()

    yield forget
    forget()
