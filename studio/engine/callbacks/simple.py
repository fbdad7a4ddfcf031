"""Callbacks of few lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.engine.callbacks.base import Callback, Logs
from studio.engine.errors import NumericsError, unknown_name

HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class TerminateOnNaN(Callback):
    """Ends the training, instead of failing, where a number is no longer finite.

    The loss of that epoch is NaN in the logs; the weights are the last ones that were finite.

    Args:
        raise_error: whether it fails all the same.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error
        self._ended = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._ended = False

    def on_numerics_error(self, batch: int, error: NumericsError) -> bool:
        if not self.raise_error:
            print(f"Batch {batch}: invalid loss, terminating training. {error}")
            self._ended = True
        return self._ended

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._ended and isinstance(logs, dict):
            logs["loss"] = float("nan")


class LambdaCallback(Callback):
    """Calls functions at hooks: ``LambdaCallback(on_epoch_end=lambda epoch, logs: …)``.

    Raises:
        UnknownNameError: if there is no such hook.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **others: Callable[..., Any],
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **others,
        }
        for hook, function in given.items():
            if hook not in HOOKS:
                raise unknown_name(hook, HOOKS, "a hook", "LambdaCallback")
            if function is not None:
                vars(self)[hook] = function
