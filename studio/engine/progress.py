"""A line per epoch on the terminal: what ``verbose`` shows."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from studio.engine.callbacks import Callback, Logs


class Progress(Callback):
    """Prints each epoch's seconds and figures."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.started = perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        seconds = perf_counter() - self.started
        figures = " - ".join(f"{name}: {_short(value)}" for name, value in (logs or {}).items())
        print(f"Epoch {epoch + 1}/{self.params['epochs']} - {seconds:.1f}s - {figures}")


def _short(figure: Any) -> str:
    """Four digits of a number, or of each of several, as there are for each class."""
    if np.ndim(figure):
        return f"[{' '.join(_short(number) for number in figure)}]"
    return f"{figure:.4g}"
