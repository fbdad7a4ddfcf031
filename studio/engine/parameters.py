"""All trainable weights of a model, and their gradients, in flat buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studio.engine.layers.base import Layer, Weight
from studio.engine.memory import empty, zeros
from studio.engine.params import Param
from studio.engine.plan import Calls
from studio.engine.workspace import Array


class Parameters:
    """The trainable weights of a model in one flat buffer; each weight becomes a view into it."""

    def __init__(self, stack: Sequence[Layer]) -> None:
        self.entries: list[tuple[int, Weight, slice]] = []
        start = 0
        for position, layer in enumerate(stack):
            for weight in layer.trainable_weights:
                stop = start + weight.value.size
                self.entries.append((position, weight, slice(start, stop)))
                start = stop
        dtype = self.entries[0][1].value.dtype if self.entries else np.dtype(np.float32)
        self.values = empty((start,), dtype)
        self._views: list[Array] = []
        for _, weight, where in self.entries:
            self.values[where] = weight.value.ravel()
            weight.value = self.values[where].reshape(weight.shape)
            self._views.append(weight.value)
        self.regularized = [
            (weight, where) for _, weight, where in self.entries if weight.spec.regularizer
        ]
        self._regularized: Array | None = None
        self._settings = Param.changes
        self._calls = Calls()
        self.constrained = [weight for _, weight, _ in self.entries if weight.spec.constraint]

    def hold_the_weights(self) -> bool:
        """Whether no weight has been moved elsewhere since."""
        pairs = zip(self.entries, self._views, strict=True)
        return all(weight.value is view for (_, weight, _), view in pairs)

    def where(self, start: int, stop: int) -> slice:
        """Where the weights of the layers from ``start`` to ``stop`` lie."""
        own = [where for position, _, where in self.entries if start <= position < stop]
        return slice(own[0].start, own[-1].stop) if own else slice(0, 0)

    def gradients(self) -> tuple[Array, list[dict[str, Array]]]:
        """A flat buffer for gradients, and per layer the views that its weights' ones go to."""
        flat = zeros(self.values.shape, self.values.dtype)
        views: list[dict[str, Array]] = []
        for position, weight, where in self.entries:
            while len(views) <= position:
                views.append({})
            views[position][weight.name] = flat[where].reshape(weight.shape)
        return flat, views

    def penalty(self) -> float:
        """The sum of all weight regularizers."""
        total = 0.0
        for weight, _ in self.regularized:
            if weight.spec.regularizer:
                total += weight.spec.regularizer(weight.value)
        return total

    def regularize(self, flat: Array) -> None:
        """Add the gradients of the regularizers."""
        if not self.regularized:
            return
        if self._regularized is not flat or self._settings != Param.changes:
            self._regularized, self._settings = flat, Param.changes
            self._calls = self._lay(flat)
        self._calls.make()

    def _lay(self, flat: Array) -> Calls:
        calls = Calls()
        spare = empty((max(weight.value.size for weight, _ in self.regularized),), flat.dtype)
        for weight, where in self.regularized:
            if weight.spec.regularizer:
                w, total = weight.value, flat[where].reshape(weight.shape)
                weight.spec.regularizer.lay(w, total, spare[: w.size].reshape(w.shape), calls)
        return calls

    def constrain(self) -> None:
        """Bring the weights back to where their constraints allow."""
        for weight in self.constrained:
            if weight.spec.constraint:
                weight.value[...] = weight.spec.constraint(weight.value)
