"""A stack of layers: shapes and weights, nothing about training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from studio.engine.arrays import as_numbers
from studio.engine.errors import ParameterError, ShapeError, StateError, unknown_name
from studio.engine.layers.base import Layer, Weight
from studio.engine.layers.input import Input
from studio.engine.layers.input import input_shape as input_shape_of
from studio.engine.parameters import Parameters
from studio.engine.params import Boolean, Integer, Text
from studio.engine.random import default_seed
from studio.engine.workspace import Array, Moment, Shape

MAX_SEED = 2**63 - 1


class Stack:
    """Layers on top of each other: what fits on what, and the weights of all.

    Args:
        layers: the layers, bottom first; the first may be an :class:`Input`.
        trainable: whether training changes the layers.
        name: the model's name.
        seed: what all random numbers derive from; drawn where not given.

    Raises:
        StudioError: if a layer cannot take the output of the one below, or an argument is wrong.
    """

    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        trainable: bool = True,
        name: str | None = None,
        seed: int | None = None,
    ) -> None:
        self.name = Text().checked(name or "sequential", "Sequential name")
        seed = default_seed() if seed is None else seed
        number = Integer(minimum=0, maximum=MAX_SEED)
        self.moment = Moment(seed=number.checked(seed, "Sequential seed"))
        self.layers: list[Layer] = []
        self.input_shape: Shape | None = None
        self._parameters: Parameters | None = None
        if layers is not None and not isinstance(layers, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParameterError("a list of layers", type(layers).__name__, "Sequential layers")
        for layer in layers or ():
            self.add(layer)
        if not Boolean().checked(trainable, "Sequential trainable"):
            self.trainable = False

    def __getstate__(self) -> dict[str, Any]:
        # In a copy, weights would no longer be views of the buffer.
        return self.__dict__ | {"_parameters": None}

    # The stack

    def add(self, layer: Layer | Input) -> None:
        """Put a layer on top; it gets its weights as soon as the model's input shape is known.

        Raises:
            ShapeError: if the layer cannot take the output of the one below.
            StateError: if its name is taken, or it is in the model already.
            ParameterError: if it is not a layer.
        """
        if isinstance(layer, Input):
            if self.layers or self.input_shape is not None:
                raise StateError("Input as the first item", "one further up", self.name)
            self.input_shape = (None, *layer.shape)
            return
        if not isinstance(layer, Layer):  # pyright: ignore[reportUnnecessaryIsInstance]
            advice = "Write Dense(…), not Dense." if isinstance(layer, type) else ""
            raise ParameterError("a layer", repr(layer)[:80], self.name, advice)
        if layer in self.layers:
            raise StateError("each layer once", layer.label, self.name)
        if self.layers and layer.dtype != self.layers[0].dtype:
            wanted = f"the number type of the layers below, {self.layers[0].dtype}"
            advice = "All layers of a model have the same dtype."
            raise ParameterError(wanted, str(layer.dtype), layer.label, advice)
        known, shape = self.built or not self.layers, self.input_shape
        if not self.layers and shape is None:
            declared = layer.declared_input_shape
            shape = layer.input_shape if declared is None else (None, *declared)
        layer.name = self._free_name(layer)
        if known and shape is not None:
            self._build(layer, self.output_shape if self.layers else shape, len(self.layers))
        self.input_shape = shape
        self.layers.append(layer)
        self._parameters = None

    def pop(self) -> Layer:
        """Take the top layer off.

        Raises:
            StateError: if there is none.
        """
        if not self.layers:
            raise StateError("a layer to take off", "an empty model", self.name)
        self._parameters = None
        return self.layers.pop()

    def _free_name(self, layer: Layer) -> str:
        """Its name, made unique in the model by a number where the user gave none."""
        taken = {other.name for other in self.layers}
        if layer.name not in taken:
            return layer.name
        if layer.has_own_name:
            raise StateError("a name of its own for each layer", f"{layer.name!r} twice", self.name)
        number = 1
        while f"{layer.name}_{number}" in taken:
            number += 1
        return f"{layer.name}_{number}"

    def _build(self, layer: Layer, shape: Shape, position: int) -> None:
        """Make a layer's weights, unless it has them already for inputs of that shape."""
        if not layer.built or (layer.input_shape or ())[1:] != shape[1:]:
            layer.build(shape, self.moment.seed, position)

    @property
    def built(self) -> bool:
        """Whether all layers have their weights."""
        return bool(self.layers) and all(layer.built for layer in self.layers)

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights for inputs of that shape, batch (None) first.

        Raises:
            ShapeError: if a layer cannot take the output of the one below.
            StateError: if there are no layers, or no shape is known.
        """
        if not self.layers:
            raise StateError("at least one layer", "none", self.name, "Add one.")
        shape = self.input_shape
        if input_shape is not None:
            shape = (None, *input_shape_of(input_shape, "build input_shape")[1:])
        if shape is None:
            raise StateError("an input shape", "none", self.name, "Start the model with Input.")
        first = shape
        for position, layer in enumerate(self.layers):
            self._build(layer, shape, position)
            shape = layer.compute_output_shape(shape)
        self.input_shape = first
        self._parameters = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the output for an input of that shape, batch (None) first.

        Raises:
            ShapeError: if a layer cannot take what comes to it.
        """
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, batch (None) first; of a built model."""
        if self.layers:
            return self.layers[-1].output_shape
        if self.input_shape is None:
            raise StateError("a built model", "one that has not seen an input shape", self.name)
        return self.input_shape

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place.

        Raises:
            UnknownNameError: if there is none of that name.
            ParameterError: if there is none at that place.
        """
        if index is None:
            for layer in self.layers:
                if layer.name == name:
                    return layer
            raise unknown_name(name, [layer.name for layer in self.layers], "a layer", self.name)
        last = len(self.layers) - 1
        place = Integer(minimum=-last - 1, maximum=last).checked(index, "get_layer index")
        return self.layers[place]

    @property
    def parameters(self) -> Parameters | None:
        """The trainable weights in one buffer, as an optimizer sees them; None before ``build``."""
        found = self._parameters
        if not self.built:
            return None
        # Another model that shares a layer may have moved its weights into a buffer of its own.
        if found is None or not found.hold_the_weights():
            found = self._parameters = Parameters(self.layers)
        return found

    @property
    def trainable(self) -> bool:
        """Whether training changes any layer. Set it for all of them, then compile again."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    def freeze(self) -> None:
        """Let ``trainable`` of each layer take effect on its weights."""
        for layer in self.layers:
            layer.freeze()
        self._parameters = None

    @property
    def weights(self) -> list[Weight]:
        """All weights, layer by layer."""
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes."""
        return [weight for layer in self.layers for weight in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that the optimizer leaves alone."""
        return [weight for layer in self.layers for weight in layer.non_trainable_weights]

    def count_params(self) -> int:
        """How many numbers all weights hold.

        Raises:
            StateError: if the model is not built.
        """
        self.check_built()
        return sum(layer.count_params() for layer in self.layers)

    def check_built(self) -> None:
        """Find out whether there are weights to work with.

        Raises:
            StateError: if not.
        """
        if not self.built:
            found = "one without weights" if self.layers else "one without layers"
            raise StateError("a built model", found, self.name, "Give it layers and build it.")

    def get_weights(self) -> list[Array]:
        """Copies of all weights, layer by layer in Keras' order."""
        return [value for layer in self.layers for value in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights.

        Raises:
            ShapeError: if their number or a shape differs; then nothing is changed.
            DataError: if they are not numbers.
        """
        self.check_built()
        if not isinstance(weights, list | tuple):
            raise ParameterError("a list of arrays", type(weights).__name__, "set_weights")
        arrays = [as_numbers(value, f"set_weights {i}") for i, value in enumerate(weights)]
        found = [array.shape for array in arrays]
        shapes = [weight.shape for weight in self.weights]
        if found != shapes:
            raise ShapeError(f"weights of shapes {shapes}", f"{found}", self.name)
        for weight, array in zip(self.weights, arrays, strict=True):
            weight.value[...] = array
