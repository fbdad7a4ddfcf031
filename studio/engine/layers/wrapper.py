"""Layers within layers: the parameter that holds one, and the base of what wraps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.engine.errors import ParameterError, StateError, StudioError
from studio.engine.layers.base import Layer, Weight, WeightSpec
from studio.engine.registry import Named, Registry
from studio.engine.workspace import Shape


class Inner(Named[Layer]):
    """A parameter that is a layer itself: an object, or its class and configuration.

    Args:
        registry: the layers that it may be.
        examples: some that fit, the one of a new block first.
        common: what all parameters have.
    """

    def __init__(
        self, registry: Registry[Layer], *examples: Mapping[str, Any], **common: Any
    ) -> None:
        super().__init__(registry, **{"initial": examples[0], **common})
        self.examples = [*examples[1:], examples[0]]

    def in_words(self, value: Layer) -> str:
        return f"{type(value).__name__} {value.key_settings()}".strip()

    def samples(self) -> tuple[list[Any], list[Any]]:
        return list(self.examples), super().samples()[1]


def example(class_name: str, **config: Any) -> dict[str, Any]:
    """A layer as the value of a parameter."""
    return {"class_name": class_name, "config": config}


class Wrapper(Layer):
    """A layer made of others. Their weights are its weights, under names with a prefix.

    A subclass defines :meth:`inner` and calls :meth:`settle` when it has its inner layers.
    """

    _settled = False

    def inner(self) -> Mapping[str, Layer]:
        """The layers within by the prefix of their weights' names, ``"forward/"``."""
        raise NotImplementedError

    def inner_shape(self, input_shape: Shape) -> Shape:
        """The shape of what the inner layers read."""
        return input_shape

    def settle(self, own_dtype: bool) -> None:
        """Give all the same number type: the wrapper's own, or else that of what it wraps.

        Raises:
            ParameterError: if an inner layer asks for what only a model can do for it.
        """
        for layer in self.inner().values():
            if not self.trainable:
                layer.trainable = False
            if getattr(layer, "activity_regularizer", None) is not None:
                where = f"{self.label}, {layer.label}"
                raise ParameterError("no activity_regularizer of a layer within", "one", where)
            if own_dtype:
                layer.dtype = self.dtype
            else:
                self.dtype = layer.dtype
        self._settled = True

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        # As in Keras, where it is what the layers within say that counts.
        if name == "trainable" and self._settled:
            for layer in self.inner().values():
                layer.trainable = self.trainable

    def freeze(self) -> None:
        """Let ``trainable`` of the layers within take effect on their weights."""
        for layer in self.inner().values():
            layer.freeze()

    def inner_output_shape(self, layer: Layer, input_shape: Shape) -> Shape:
        """The output shape of a layer within.

        Raises:
            ShapeError: if it cannot take the input; the error names both layers.
        """
        try:
            return layer.compute_output_shape(self.inner_shape(input_shape))
        except StudioError as error:
            raise error.at(self.label) from None

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """The weights of the layers within, one layer after the other."""
        return tuple(
            replace(spec, name=prefix + spec.name)
            for prefix, layer in self.inner().items()
            for spec in layer.weight_specs(self.inner_shape(input_shape))
        )

    def build(self, input_shape: Shape, seed: int | None = None, position: int = 0) -> None:
        """Make the weights, and hand each layer within its own."""
        super().build(input_shape, seed, position)
        self._hand_down(input_shape)
        self.freeze()

    def adopt(self, weights: list[Weight], input_shape: Shape, prefix: str) -> None:
        """As of all layers; those within work with them as well."""
        super().adopt(weights, input_shape, prefix)
        self._hand_down(input_shape)

    def _hand_down(self, input_shape: Shape) -> None:
        for inner_prefix, layer in self.inner().items():
            if layer.built and layer.within is not self:
                raise StateError(
                    "a layer that nothing else uses", f"{layer.label}, which has weights already",
                    self.label, "Give each wrapper a layer of its own.",
                )  # fmt: skip
            layer.within = self
            prefix = self.prefix + inner_prefix
            own = [weight for weight in self.weights if weight.name.startswith(prefix)]
            layer.adopt(own, self.inner_shape(input_shape), prefix)
