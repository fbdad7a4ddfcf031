"""The loss and the metrics of an epoch, added up batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.engine.metrics import Metric, accuracy_for, metrics
from studio.engine.network import Result
from studio.engine.workspace import Array

PENDING = 4096
"""Predicted numbers that may wait before the metrics look at them, all at once."""


class Scores(Mapping[str, Any]):
    """The logs of an epoch so far; its figures are computed when read.

    Args:
        chosen: metrics, or ``"accuracy"`` where it depends on the targets which one.
        weighted: the same, of metrics that heed sample weights.
    """

    def __init__(
        self, chosen: Sequence[Metric | str], weighted: Sequence[Metric | str] = ()
    ) -> None:
        self._chosen = chosen
        self._weighted = weighted
        self._metrics: list[tuple[Metric, bool]] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._loss = 0.0
        self._samples = 0
        self._pending: list[tuple[Array, Array, Array | None]] = []
        self._waiting = 0
        for metric, _ in self._metrics or ():
            metric.reset_state()

    def add(self, result: Result, y: Array, weight: Array | None) -> None:
        """Count a batch in."""
        size = len(y)
        self._loss += result.loss * size
        self._samples += size
        if self._metrics is None:
            self._metrics = self._resolve(y, result.predictions)
        if self._metrics:
            self._pending.append((y, result.predictions.copy(), weight))
            self._waiting += result.predictions.size
            if self._waiting > PENDING:
                self._flush()

    def _resolve(self, y: Array, p: Array) -> list[tuple[Metric, bool]]:
        found: list[tuple[Metric, bool]] = []
        for group, heeds in ((self._chosen, False), (self._weighted, True)):
            for item in group:
                if isinstance(item, Metric):
                    metric = metrics.make(metrics.serialize(item))
                else:
                    metric = accuracy_for(p.shape[-1], y, p.ndim)
                    metric.name = item
                found.append((metric, heeds))
        return found

    def _flush(self) -> None:
        for y, p, weight in self._pending:
            for metric, heeds in self._metrics or ():
                metric.update_state(y, p, weight if heeds else None)
        self._pending.clear()
        self._waiting = 0

    def __getitem__(self, name: str) -> Any:
        if name == "loss":
            return self._loss / self._samples if self._samples else 0.0
        self._flush()
        for metric, _ in self._metrics or ():
            if metric.name == name:
                return metric.result()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield "loss"
        for metric, _ in self._metrics or ():
            yield metric.name

    def __len__(self) -> int:
        return 1 + len(self._metrics or ())
