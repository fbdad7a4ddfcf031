"""A layer applied to each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.engine.activations import Activation
from studio.engine.errors import ShapeError
from studio.engine.layers.base import Gradients, Layer, layers, register, shape_text
from studio.engine.layers.columns import without_gaps
from studio.engine.layers.planned import Planned
from studio.engine.layers.wrapper import Inner, Wrapper, example
from studio.engine.plan import Do, at_once
from studio.engine.workspace import Array, Context, Shape


@register()
class TimeDistributed(Wrapper, Planned):
    """y_t = layer(x_t), the same layer for all steps t.

    Input shape: ``(batch, time, …)``. Output shape: ``(batch, time, …)``, the rest as the layer
    makes it. A layer that mixes the samples of a batch (BatchNormalization) sees one step of them
    at a time.
    Source: https://keras.io/api/layers/recurrent_layers/time_distributed/
    """

    category = "Recurrent"
    help = "Applies a layer to each step of a sequence by itself."

    layer = Inner(
        layers,
        example("Dense", units=16),
        example("Conv1D", filters=3, kernel_size=2, activation="relu"),
        example("LayerNormalization"),
        example("Flatten"),
        label="Layer", help="What is applied to each step.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settle(own_dtype=kwargs.get("dtype") is not None)

    @property
    def mixes_samples(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the layer does."""
        return self.layer.mixes_samples

    @property
    def reads_integers(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the layer does."""
        return self.layer.reads_integers

    @property
    def output_activation(self) -> Activation | None:
        """The activation that the layer's output ends with."""
        return self.layer.output_activation

    def inner(self) -> Mapping[str, Layer]:
        """The layer; its weights keep their names."""
        return {"": self.layer}

    def inner_shape(self, input_shape: Shape) -> Shape:
        """That of one step.

        Raises:
            ShapeError: if the input is no sequence.
        """
        if len(input_shape) < 3:
            wanted = "a sequence: at least 2 dimensions per sample"
            raise ShapeError(wanted, shape_text(input_shape), self.label)
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, time, …) → (batch, time, the layer's output)."""
        self.inner_shape(input_shape)
        batch, *rest = self.inner_output_shape(self.layer, input_shape)
        return (batch, input_shape[1], *rest)

    def work(self) -> float:
        """That of the layer, once per step."""
        steps = self.input_shape[1] if self.input_shape else None
        return self.layer.work() * (steps or 1)

    @property
    def is_laid_out(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the layer is, and sees all steps at once."""
        return self.layer.is_laid_out and not self.mixes_samples

    def lay(self, x: Array, context: Context, do: Do) -> tuple[Array, Any]:
        """All steps of all samples as one batch."""
        assert isinstance(self.layer, Planned)
        y, cache = self.layer.lay(_rows(x, "x", context, do), self._all(context), do)
        return _by_step(y, x), (x, cache)

    def lay_back(
        self, dy: Array, cache: Any, context: Context, do: Do
    ) -> tuple[Array | None, Gradients]:
        """The layer's gradients; those of its weights are of all steps together."""
        assert isinstance(self.layer, Planned)
        x, inner = cache
        child = self._all(context)
        dx, gradients = self.layer.lay_back(_rows(dy, "dy", context, do), inner, child, do)
        return None if dx is None else _by_step(dx, x), gradients

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """All steps of all samples as one batch, unless the layer mixes samples."""
        if self.is_laid_out:
            return super().forward(x, context)
        if self.mixes_samples:
            return self._forward_by_step(x, context)
        y, cache = self.layer.forward(_rows(x, "x", context), self._all(context))
        return _by_step(y, x), (x, cache)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The layer's gradients; those of its weights are of all steps together."""
        if self.is_laid_out:
            return super().backward(dy, cache, context)
        if self.mixes_samples:
            return self._backward_by_step(dy, cache, context)
        x, inner = cache
        dx, gradients = self.layer.backward(_rows(dy, "dy", context), inner, self._all(context))
        return None if dx is None else _by_step(dx, x), gradients

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """That of the steps; of steps within them what the layer leaves of it.

        Where it leaves none, a step counts if anything in it does.
        """
        if mask is None or mask.ndim < 3:
            return mask
        rows, inner = (each.reshape(-1, *each.shape[2:]) for each in (x, mask))
        left = self.layer.compute_mask(rows, inner)
        if left is not None:
            return _by_step(left, x)
        return np.logical_or.reduce(mask, axis=tuple(range(2, mask.ndim)))

    def _all(self, context: Context) -> Context:
        """The mask of the steps says nothing to the layer, one of steps within them does."""
        mask = context.mask
        inner = None if mask is None or mask.ndim < 3 else mask.reshape(-1, *mask.shape[2:])
        return context.child("", inner, context.needs_input_gradient, context.linear_output)

    def _forward_by_step(self, x: Array, context: Context) -> tuple[Array, list[Any]]:
        caches: list[Any] = []
        outputs: list[Array] = []
        for t in range(x.shape[1]):
            y, cache = self.layer.forward(x[:, t], self._step(context, t))
            outputs.append(y)
            caches.append(cache)
        return np.stack(outputs, axis=1), caches

    def _backward_by_step(
        self, dy: Array, caches: list[Any], context: Context
    ) -> tuple[Array | None, Gradients]:
        total: dict[str, Array] = {}
        found: list[Array] = []
        for t, cache in enumerate(caches):
            dx, gradients = self.layer.backward(dy[:, t], cache, self._step(context, t))
            for name, gradient in gradients.items():
                if t == 0:
                    total[name] = context.gradient(name, gradient)
                    total[name][...] = gradient
                else:
                    total[name] += gradient
            if dx is not None:
                found.append(dx)
        return np.stack(found, axis=1) if found else None, total

    def _step(self, context: Context, t: int) -> Context:
        mask = None if context.mask is None else context.mask[:, t]
        child = context.child("", mask, context.needs_input_gradient, place=t)
        child.gradients = {}
        return child

    def learn(self, cache: Any) -> None:
        """Let the layer learn from each step in turn."""
        if self.mixes_samples:
            for part in cache:
                self.layer.learn(part)


def _rows(x: Array, name: str, context: Context, do: Do = at_once) -> Array:
    """(batch, time, …) → (batch · time, …); where that takes a copy, it has that name."""
    rows = without_gaps(x, name, context.workspace, do)
    return rows.reshape(-1, *x.shape[2:])


def _by_step(rows: Array, x: Array) -> Array:
    """(batch · time, …) → (batch, time, …), the first two as those of ``x``."""
    return rows.reshape(*x.shape[:2], *rows.shape[1:])
