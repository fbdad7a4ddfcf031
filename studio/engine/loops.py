"""How NumPy goes through arrays while training."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import numpy as np

BUFFER = 1024
"""Of arrays with gaps, NumPy copies runs of up to about a third of so many numbers into a buffer
before it computes. Copying longer ones takes longer than it saves."""


@contextmanager
def loops_for_training() -> Generator[None]:
    """Have NumPy work in place in this thread while inside, and not warn.

    Whoever trains checks the numbers; warnings would only repeat it, once per thread.
    """
    with np.errstate(all="ignore"):
        before = np.setbufsize(BUFFER)
        try:
            yield
        finally:
            np.setbufsize(before)
