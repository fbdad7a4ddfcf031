"""The loss and the metrics of an epoch, added up batch by batch."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast
from weakref import ref

import numpy as np

from studio.engine.activations import Activation
from studio.engine.losses import spread
from studio.engine.metrics import Metric, accuracy_for
from studio.engine.network import Result
from studio.engine.workspace import Array

PENDING = 1 << 14
"""Predicted numbers that may wait before the metrics look at them, all at once."""

Columns = tuple[Array, Array, Array | None, Array | None]
"""Targets, outputs, weights and mask."""


class BatchLogs(UserDict[str, Any]):
    """What a callback is told of an epoch after a batch; computed when it is first read.

    Args:
        scores: will be read from.
    """

    def __init__(self, scores: Scores) -> None:
        self._scores = scores

    @cached_property
    def data(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The figures."""
        return dict(self._scores)


class Scores(Mapping[str, Any]):
    """The figures of an epoch so far; they are computed when read.

    Args:
        chosen: metrics, or ``"accuracy"`` where it depends on the targets which one.
        weighted: the same, of metrics that heed sample weights.

    Attributes:
        samples: how many have been counted in.
    """

    def __init__(
        self, chosen: Sequence[Metric | str], weighted: Sequence[Metric | str] = ()
    ) -> None:
        self._chosen = chosen
        self._weighted = weighted
        self._metrics: dict[str, tuple[Metric, bool]] | None = None
        self._activation: Activation | None = None
        self._kind: object = None
        self._told: ref[BatchLogs] | None = None
        self.reset()

    def logs(self) -> BatchLogs:
        """The figures as they are now, for a callback; they stay so if it keeps them."""
        told = None if self._told is None else self._told()
        if told is None:
            told = BatchLogs(self)
            self._told = ref(told)
        return told

    def _fix_logs(self) -> None:
        """What was told and is kept by somebody is computed, before other batches come."""
        if self._told is not None and (told := self._told()) is not None:
            told.data  # noqa: B018 # pyright: ignore[reportUnusedExpression]
        self._told = None

    def reset(self) -> None:
        """Forget all batches."""
        self._fix_logs()
        self._loss = 0.0
        self.samples = 0
        self._pending: list[Columns] = []
        self._waiting = 0
        for metric, _ in (self._metrics or {}).values():
            metric.reset_state()

    def add(self, result: Result, y: Array, weight: Array | None) -> None:
        """Count a batch in."""
        self._fix_logs()
        size = len(y)
        self._loss += result.loss * size
        self.samples += size
        if self._metrics is None:
            self._metrics = self._resolve(y, result.output)
        if self._metrics:
            out, mask = result.output, result.mask
            kind = (
                y.shape[1:],
                out.shape[1:],
                None if weight is None else weight.shape[1:],
                None if mask is None else mask.shape[1:],
            )
            if kind != self._kind:
                self._flush()
                self._kind, self._activation = kind, result.activation
            self._pending.append((y, out.copy(), weight, mask))
            self._waiting += out.size
            if self._waiting > PENDING:
                self._flush()

    def _resolve(self, y: Array, p: Array) -> dict[str, tuple[Metric, bool]]:
        """Metrics of our own, whether they heed weights, and the names that Keras would give."""
        found: dict[str, tuple[Metric, bool]] = {}
        for group, heeds in ((self._chosen, False), (self._weighted, True)):
            for item in group:
                if isinstance(item, Metric):
                    metric = type(item).from_config(item.get_config())
                else:
                    metric = accuracy_for(y, p, item)
                repeated = heeds and metric.name in found
                name = base = f"weighted_{metric.name}" if repeated else metric.name
                number = 0
                while name in found:
                    number += 1
                    name = f"{base}_{number}"
                found[name] = (metric, heeds)
        return found

    def _flush(self) -> None:
        if not self._pending:
            return
        y, out, weight, mask = (_joined(column) for column in zip(*self._pending, strict=True))
        assert y is not None
        assert out is not None
        p = out if self._activation is None else self._activation.forward(out)
        for metric, heeds in (self._metrics or {}).values():
            factor = weight if heeds else None
            if mask is not None and metric.heeds_masks:
                factor = mask if factor is None else spread(factor, mask) * mask
            metric.update_state(y, p, factor)
        self._pending.clear()
        self._waiting = 0

    def __getitem__(self, name: str) -> Any:
        if name == "loss":
            return self._loss / self.samples if self.samples else 0.0
        self._flush()
        return (self._metrics or {})[name][0].result()

    def __iter__(self) -> Iterator[str]:
        yield "loss"
        yield from self._metrics or ()

    def __len__(self) -> int:
        return 1 + len(self._metrics or ())


def _joined(parts: Sequence[Array | None]) -> Array | None:
    first = parts[0]
    return first if first is None or len(parts) == 1 else np.concatenate(cast("list[Array]", parts))
