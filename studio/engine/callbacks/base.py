"""The hooks of a training, and the callback that every training has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.engine.errors import NumericsError
    from studio.engine.sequential import Sequential

Logs = Mapping[str, Any]

ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
"""Hooks that call another one of an older name unless they are overridden."""


class Callback:
    """Base of all callbacks; each hook does nothing unless overridden.

    ``logs`` of a batch are computed when first read, so a callback that looks at few batches costs
    nothing at the others. Those of an epoch are a dict that a callback may add figures to.
    """

    model: Sequential
    params: dict[str, Any]

    def set_model(self, model: Sequential) -> None:
        """Say which model is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Say ``epochs``, ``steps`` (per epoch, or None) and ``verbose``."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called once before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called once after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before each epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after each epoch and its validation."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Keras' older name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Keras' older name of :meth:`on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch."""
        self.on_batch_end(batch, logs)

    def on_numerics_error(self, batch: int, error: NumericsError) -> bool:
        """Called where a number of a batch is not finite; True ends the training without an error.

        Nothing has been updated by that batch.
        """
        return False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before a validation or evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after a validation or evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of a validation or evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of a validation or evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch of a prediction; ``logs`` has its ``"outputs"``."""


class History(Callback):
    """Keeps the logs of all epochs: ``history["loss"][epoch]``."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class CallbackList:
    """Calls a hook of several callbacks in turn, skipping those that do not override it."""

    def __init__(
        self, callbacks: Sequence[Callback], model: Sequential, params: dict[str, Any]
    ) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._listeners: dict[str, list[Any]] = {}

    def listeners(self, hook: str) -> list[Any]:
        """The bound methods of those callbacks that override ``hook``."""
        found = self._listeners.get(hook)
        if found is None:
            names = {hook, ALIASES.get(hook, hook)}
            found = self._listeners[hook] = [
                getattr(callback, hook)
                for callback in self.callbacks
                if not (names.isdisjoint(_own(type(callback))) and names.isdisjoint(vars(callback)))
            ]
        return found

    def call(self, hook: str, *args: Any) -> None:
        """Call ``hook`` of each callback that overrides it."""
        for listener in self.listeners(hook):
            listener(*args)


@lru_cache(maxsize=256)
def _own(kind: type[Callback]) -> frozenset[str]:
    """What a class has of its own among the hooks and other attributes of callbacks."""
    names = vars(Callback).keys()
    return frozenset(name for name in names if getattr(kind, name) is not getattr(Callback, name))
