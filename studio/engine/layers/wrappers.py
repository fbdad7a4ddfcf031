"""Layers around another layer: at every step, or in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from studio.engine.errors import ParameterError, ShapeError, StudioError
from studio.engine.layers.base import Gradients, Layer, Weight, WeightSpec, layers, register
from studio.engine.layers.recurrent import Recurrent
from studio.engine.params import Choice
from studio.engine.registry import Named
from studio.engine.workspace import Array, Context, Shape, Workspace


class Inner(Named[Layer]):
    """A parameter that is a layer; ``examples`` are such as fit."""

    def __init__(self, *examples: dict[str, Any], **common: Any) -> None:
        super().__init__(layers, initial=examples[0], **common)
        self.examples = list(examples)

    def in_words(self, value: Layer) -> str:
        return f"{type(value).__name__} {value.key_settings()}".strip()

    def samples(self) -> tuple[list[Any], list[Any]]:
        return list(self.examples), ["no such layer", 3]


def example(class_name: str, **config: Any) -> dict[str, Any]:
    """A layer as a value of a parameter."""
    return {"class_name": class_name, "config": config}


class Wrapper(Layer):
    """Holds inner layers and shares their weights, under names that say which one they are of."""

    layer: Any

    def inner(self) -> Sequence[tuple[str, Layer]]:
        """The inner layers and the prefixes of their weights."""
        raise NotImplementedError

    def inner_shape(self, input_shape: Shape) -> Shape:
        """What the inner layers see."""
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """Those of the inner layers, the trainable ones first."""
        shape = self.inner_shape(input_shape)
        found = [
            replace(spec, name=f"{prefix}{spec.name}")
            for prefix, layer in self.inner()
            for spec in layer.weight_specs(shape)
        ]
        return tuple(sorted(found, key=lambda spec: not spec.trainable))

    def build(self, input_shape: Shape, seed: int | None = None, position: int = 0) -> None:
        """Build the inner layers, whose weights it shares."""
        super().build(input_shape, seed, position)
        made = {weight.name: weight for weight in self.weights}
        shape = self.inner_shape(input_shape)
        for prefix, layer in self.inner():
            layer.weights = [
                _Named(spec, made[f"{prefix}{spec.name}"]) for spec in layer.weight_specs(shape)
            ]
            layer.input_shape = shape
            layer.built = True

    def inside(self, context: Context, prefix: str, mask: Array | None) -> Context:
        """The context of an inner layer: its own scratch memory, gradients and random stream."""
        spaces: dict[str, Workspace] = context.workspace.inner
        space = spaces.setdefault(prefix, Workspace(context.workspace.reuse))
        gradients = {
            name.removeprefix(prefix): value
            for name, value in context.gradients.items()
            if name.startswith(prefix)
        }
        return replace(
            context, purpose=f"{context.purpose}{prefix}", workspace=space, mask=mask,
            gradients=gradients, linear_output=False,
        )  # fmt: skip


class _Named(Weight):
    """A weight of an inner layer: the wrapper's, by its own name."""

    __slots__ = ("shared",)

    def __init__(self, spec: WeightSpec, shared: Weight) -> None:
        self.spec = spec
        self.shared = shared

    @property
    def value(self) -> Array:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.shared.value

    @property
    def trainable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.shared.trainable


@register()
class TimeDistributed(Wrapper):
    """The same layer at every step of a sequence.

    Input shape: ``(batch, steps, …)``. Output shape: ``(batch, steps, *output of the layer)``.
    Source: https://keras.io/api/layers/recurrent_layers/time_distributed/
    """

    category = "Recurrent"
    input_ranks = (3, 4, 5)
    help = "Applies a layer to every step of a sequence."

    layer = Inner(example("Dense", units=16), example("Flatten"), label="Layer",
                  help="The layer that each step goes through.")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.layer.mixes_samples or isinstance(self.layer, Wrapper):
            name = type(self.layer).__name__
            raise ParameterError(
                "a layer that sees each sample by itself", name, f"{self.label} layer"
            )

    def inner(self) -> Sequence[tuple[str, Layer]]:
        """The layer."""
        return [("", self.layer)]

    def inner_shape(self, input_shape: Shape) -> Shape:
        """One step."""
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, steps, …) → (batch, steps, …)."""
        self.check_input(input_shape)
        try:
            batch, *rest = self.layer.compute_output_shape(self.inner_shape(input_shape))
        except StudioError as error:
            raise error.at(self.label) from None
        return (batch, input_shape[1], *rest)

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """All steps of all samples as one larger batch."""
        inner = self.inside(context, "", None)
        y, cache = self.layer.forward(x.reshape(-1, *x.shape[2:]), inner)
        return y.reshape(*x.shape[:2], *y.shape[1:]), (x.shape, inner, cache)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The same the other way round."""
        shape, inner, inner_cache = cache
        inner.gradients = self.inside(context, "", None).gradients
        dx, gradients = self.layer.backward(dy.reshape(-1, *dy.shape[2:]), inner_cache, inner)
        return (None if dx is None else dx.reshape(shape)), gradients


@register()
class Bidirectional(Wrapper):
    """A recurrent layer that reads a sequence in both directions.

    Input shape: ``(batch, time, features)``. Output shape: that of the layer, its units doubled
    with ``merge_mode="concat"``. Source: Schuster and Paliwal, 1997;
    https://keras.io/api/layers/recurrent_layers/bidirectional/
    """

    category = "Recurrent"
    input_ranks = (3,)
    help = "Reads a sequence from both ends."

    layer = Inner(example("LSTM", units=16), example("GRU", units=3, return_sequences=True),
                  example("SimpleRNN", units=4), label="Layer",
                  help="The recurrent layer that reads.")  # fmt: skip
    merge_mode = Choice("concat", options=("concat", "sum", "mul", "ave"), label="Merge",
                        help="How the two readings become one.")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.layer, Recurrent):
            wanted, found = "a recurrent layer", type(self.layer).__name__
            raise ParameterError(wanted, found, f"{self.label} layer")
        config = self.layer.get_config()
        back = {**config, "go_backwards": not self.layer.go_backwards}
        self.forward_layer = type(self.layer).from_config(config)
        self.backward_layer = type(self.layer).from_config(back)

    def inner(self) -> Sequence[tuple[str, Layer]]:
        """The layer forwards, and backwards."""
        return [("forward/", self.forward_layer), ("backward/", self.backward_layer)]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(batch, time, features) → (batch, …, units or 2 · units)."""
        self.check_input(input_shape)
        *rest, units = self.forward_layer.compute_output_shape(input_shape)
        if units is None:
            raise ShapeError("a known number of units", "none", self.label)
        return (*rest, 2 * units if self.merge_mode == "concat" else units)

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """A sequence keeps its mask."""
        return mask if self.forward_layer.return_sequences else None

    def _ordered(self, y: Array) -> Array:
        """The outputs of the second reading in the order of time."""
        return y[:, ::-1] if self.forward_layer.return_sequences else y

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """Both readings, merged."""
        contexts = [self.inside(context, prefix, context.mask) for prefix, _ in self.inner()]
        (there, cache), (back, other) = (
            layer.forward(x, inner)
            for (_, layer), inner in zip(self.inner(), contexts, strict=True)
        )
        back = self._ordered(back)
        if self.merge_mode == "concat":
            y = np.concatenate([there, back], axis=-1)
        elif self.merge_mode == "mul":
            y = there * back
        else:
            y = (there + back) * (0.5 if self.merge_mode == "ave" else 1)
        return y.astype(x.dtype, copy=False), (there, back, (cache, other), contexts)

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The gradients of both readings; that of the input adds up."""
        there, back, caches, contexts = cache
        units = there.shape[-1]
        if self.merge_mode == "concat":
            parts = [dy[..., :units], dy[..., units:]]
        elif self.merge_mode == "mul":
            parts = [dy * back, dy * there]
        else:
            parts = [dy * (0.5 if self.merge_mode == "ave" else 1)] * 2
        parts[1] = self._ordered(parts[1])
        gradients: dict[str, Array] = {}
        total: Array | None = None
        for (prefix, layer), part, inner_cache, inner in zip(
            self.inner(), parts, caches, contexts, strict=True
        ):
            inner.gradients = self.inside(context, prefix, None).gradients
            inner.needs_input_gradient = context.needs_input_gradient
            dx, found = layer.backward(np.ascontiguousarray(part, dy.dtype), inner_cache, inner)
            gradients.update({f"{prefix}{name}": value for name, value in found.items()})
            if dx is not None:
                total = dx if total is None else total + dx
        return total, gradients
