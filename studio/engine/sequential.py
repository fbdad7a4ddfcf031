"""The Sequential model (https://keras.io/api/models/sequential/)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine import trainer
from studio.engine.callbacks import Callback, History
from studio.engine.errors import ShapeError, StateError
from studio.engine.layers.base import Layer, Weight, layers, shape_text
from studio.engine.losses import Loss, losses
from studio.engine.metrics import Metric
from studio.engine.optimizers import Optimizer, optimizers
from studio.engine.parameters import Parameters
from studio.engine.random import default_seed
from studio.engine.workspace import Array, Moment, Shape


class Input:
    """The shape of one sample, as the first item of a model.

    Args:
        shape: without the batch.
    """

    def __init__(self, shape: Sequence[int | None], **_: Any) -> None:
        self.shape = tuple(shape)


class Sequential:
    """A stack of layers that is trained as one.

    Args:
        layers: the layers, bottom first; the first may be an :class:`Input`.
        name: the model's name.
        seed: what all random numbers derive from; drawn where not given.
        threads: how many threads to train on; all processors where not given. It has no influence
            on the numbers.
    """

    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        name: str = "sequential",
        seed: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.name = name
        self.layers: list[Layer] = []
        self.moment = Moment(seed=default_seed() if seed is None else seed)
        self.threads = threads
        self.stop_training = False
        self.input_shape: Shape | None = None
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.metrics: list[Metric | str] = []
        self.weighted_metrics: list[Metric | str] = []
        self.parameters: Parameters | None = None
        for layer in layers or ():
            self.add(layer)

    # The stack

    def add(self, layer: Layer | Input) -> None:
        """Put a layer on top; the model is built as soon as its input shape is known.

        Raises:
            ShapeError: if the layer cannot take the output of the one below.
        """
        if isinstance(layer, Input):
            if self.layers or self.input_shape is not None:
                raise StateError("Input as the first item", "one further up", self.name)
            self.input_shape = (None, *layer.shape)
            return
        if not isinstance(layer, Layer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShapeError("a layer", repr(layer), self.name)
        if not self.layers and self.input_shape is None and layer.declared_input_shape is not None:
            self.input_shape = (None, *layer.declared_input_shape)
        self._name(layer)
        if self.built or (self.input_shape is not None and not self.layers):
            layer.build(self.output_shape, self.moment.seed, len(self.layers))
        self.layers.append(layer)
        self._restack()

    def pop(self) -> Layer:
        """Take the top layer off.

        Raises:
            StateError: if there is none.
        """
        if not self.layers:
            raise StateError("a layer to take off", "an empty model", self.name)
        layer = self.layers.pop()
        self._restack()
        return layer

    def _restack(self) -> None:
        self.parameters = Parameters(self.layers) if self.built else None

    def _name(self, layer: Layer) -> None:
        """Make the name unique in the model, by a number where the user gave none."""
        taken = {other.name for other in self.layers}
        if layer.name not in taken:
            return
        if layer.has_own_name:
            raise StateError("a name of its own for each layer", f"{layer.name!r} twice", self.name)
        number = 1
        while f"{layer.name}_{number}" in taken:
            number += 1
        layer.name = f"{layer.name}_{number}"

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
        shape: Shape | None = self.input_shape if input_shape is None else tuple(input_shape)
        if shape is None:
            raise StateError("an input shape", "none", self.name, "Start the model with Input.")
        self.input_shape = shape
        for position, layer in enumerate(self.layers):
            layer.build(shape, self.moment.seed, position)
            shape = layer.compute_output_shape(shape)
        self._restack()

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, batch (None) first; of a built model."""
        shape = self.input_shape
        if shape is None:
            raise StateError("a built model", "one that has not seen an input shape", self.name)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    @property
    def weights(self) -> list[Weight]:
        """All weights, layer by layer."""
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes."""
        return [weight for layer in self.layers for weight in layer.trainable_weights]

    def count_params(self) -> int:
        """How many numbers all weights hold."""
        return sum(layer.count_params() for layer in self.layers)

    def get_weights(self) -> list[Array]:
        """Copies of all weights, layer by layer in Keras' order."""
        return [value for layer in self.layers for value in layer.get_weights()]

    def set_weights(self, values: Sequence[Any]) -> None:
        """Replace all weights.

        Raises:
            ShapeError: if their number or a shape differs; then nothing is changed.
        """
        found = [np.shape(value) for value in values]
        shapes = [weight.shape for weight in self.weights]
        if found != shapes:
            raise ShapeError(f"weights of shapes {shapes}", f"{found}", self.name)
        rest = list(values)
        for layer in self.layers:
            count = len(layer.weights)
            layer.set_weights(rest[:count])
            rest = rest[count:]

    def get_config(self) -> dict[str, Any]:
        """The model without its weights, as JSON can hold it."""
        return {
            "name": self.name,
            "input_shape": None if self.input_shape is None else list(self.input_shape[1:]),
            "layers": [layers.serialize(layer) for layer in self.layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Sequential:
        """A model from what :meth:`get_config` returned."""
        shape = config.get("input_shape")
        stack: list[Layer | Input] = [] if shape is None else [Input(shape)]
        stack.extend(layers.make(item) for item in config["layers"])
        return cls(stack, name=config.get("name", "sequential"))

    def summary(self) -> str:
        """Print and return a table of the layers: name, class, output shape, parameters."""
        rows = [("Layer (type)", "Output shape", "Param #")]
        shape = self.input_shape
        for layer in self.layers:
            shape = None if shape is None else layer.compute_output_shape(shape)
            text = "?" if shape is None else shape_text(shape)
            count = f"{layer.count_params():,}" if layer.built else "not built"
            rows.append((f"{layer.name} ({type(layer).__name__})", text, count))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows
        ]
        lines.append(f"Total params: {self.count_params():,}")
        table = "\n".join(lines)
        print(table)
        return table

    # Training

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        **_: Any,
    ) -> None:
        """Say how to train. Keras' other arguments are about its backends and have no effect here.

        Raises:
            UnknownNameError: if a name is not known.
        """
        self.optimizer = optimizers.make(optimizer)
        self.loss = None if loss is None else losses.make(loss)
        self.metrics = trainer.checked_metrics(metrics)
        self.weighted_metrics = trainer.checked_metrics(weighted_metrics)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train; the arguments are Keras'.

        Raises:
            StateError: if the model is not compiled.
            DataError, ShapeError: if the data do not fit the model or each other.
            NumericsError: if a number becomes NaN or infinite.
        """
        plan = trainer.FitPlan(
            batch_size, epochs, verbose, tuple(callbacks or ()), validation_split,
            validation_data, shuffle, class_weight, initial_epoch, steps_per_epoch,
            validation_steps, validation_batch_size, validation_freq,
        )  # fmt: skip
        return trainer.fit(self, x, y, sample_weight, plan)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on some data; a dict, or as Keras a list, or the loss alone."""
        logs = trainer.evaluate(self, x, y, batch_size, sample_weight, steps, callbacks or ())
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Array:
        """The outputs for all samples of ``x``."""
        return trainer.predict(self, x, batch_size, steps)

    def __call__(self, x: Any, training: bool = False) -> Array:
        """The outputs for one batch, outside ``fit``."""
        x = np.asarray(x)
        mask = None
        for layer in self.layers:
            y = layer(x, training, mask)
            mask = layer.compute_mask(x, mask)
            x = y
        return x

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One update on one batch; its loss and metrics."""
        logs = trainer.on_batch(self, x, y, sample_weight, class_weight, train=True)
        return logs if return_dict else list(logs.values())

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch."""
        logs = trainer.on_batch(self, x, y, sample_weight, None, train=False)
        return logs if return_dict else list(logs.values())

    def predict_on_batch(self, x: Any) -> Array:
        """The outputs for one batch."""
        return trainer.predict(self, x, batch_size=len(x), steps=None)
