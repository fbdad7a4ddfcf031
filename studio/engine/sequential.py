"""The Sequential model (https://keras.io/api/models/sequential/)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.engine import trainer
from studio.engine.arrays import as_numbers
from studio.engine.batches import checked_arrays
from studio.engine.callbacks import Callback, History
from studio.engine.errors import ParameterError, unknown_name
from studio.engine.fit_plan import FitPlan, checked_callbacks, checked_metrics
from studio.engine.kept import Kept
from studio.engine.layers.base import Layer, layers
from studio.engine.layers.input import Input
from studio.engine.losses import Loss, losses
from studio.engine.metrics import Metric
from studio.engine.optimizers import Optimizer, optimizers
from studio.engine.params import Integer
from studio.engine.stack import Stack
from studio.engine.summary import summary
from studio.engine.workspace import Array

WITHOUT_EFFECT = ("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")
"""Arguments of Keras' ``compile`` that are about its backends."""


class Sequential(Stack):
    """A stack of layers that is trained as one.

    Args:
        layers: the layers, bottom first; the first may be an :class:`Input`.
        trainable: whether training changes the layers.
        name: the model's name.
        seed: what all random numbers derive from; drawn where not given.
        threads: how many threads to train on; all processors where not given. It has no influence
            on the numbers.

    Raises:
        StudioError: if a layer cannot take the output of the one below, or an argument is wrong.
    """

    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        trainable: bool = True,
        name: str | None = None,
        seed: int | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(layers, trainable, name, seed)
        self.threads = Integer(minimum=1, optional=True).checked(threads, "Sequential threads")
        self.kept = Kept()
        self.stop_training = False
        self.history: History | None = None
        self.stop_evaluating = False
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.metrics: list[Metric | str] = []
        self.weighted_metrics: list[Metric | str] = []

    # Files

    def save(self, filepath: str | Path, overwrite: bool = True) -> None:
        """Write the model with its optimizer to a ``.keras`` file."""
        from studio.engine import saving

        saving.save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | Path, overwrite: bool = True) -> None:
        """Write the weights to a ``.safetensors`` or ``.weights.h5`` file."""
        from studio.engine import saving

        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | Path) -> None:
        """Set the weights from a ``.safetensors``, ``.weights.h5`` or ``.keras`` file."""
        from studio.engine import saving

        saving.load_weights(self, filepath)

    def get_config(self) -> dict[str, Any]:
        """The model without its weights, as JSON can hold it."""
        return {
            "name": self.name,
            "input_shape": None if self.input_shape is None else list(self.input_shape[1:]),
            "layers": [layers.serialize(layer) for layer in self.layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Sequential:
        """A model from what :meth:`get_config` returned.

        Raises:
            StudioError: if it is not such a configuration.
        """
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParameterError("a configuration of a model", repr(config)[:80], "from_config")
        shape = config.get("input_shape")
        stack: list[Layer | Input] = [] if shape is None else [Input(shape)]
        stack.extend(layers.make(item) for item in config["layers"])
        return cls(stack, name=config.get("name"))

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> str:
        """Print and return a table of the layers: name, class, output shape, parameters.

        Args:
            line_length: as in Keras, without effect: the table is as wide as its text.
            positions: likewise.
            print_fn: what to call with the text instead of printing it.
            expand_nested: likewise without effect: models are not nested.
            show_trainable: whether to say which layers training changes.
        """
        table = summary(self, show_trainable)
        (print_fn or print)(table)
        return table

    # Training

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        **others: Any,
    ) -> None:
        """Say how to train, and let layers' ``trainable`` take effect.

        Keras' arguments about its backends (``run_eagerly``, ``jit_compile`` …) are let pass.

        Raises:
            UnknownNameError: if a name is not known.
            ParameterError: if an argument is of another kind.
        """
        for name in set(others) - set(WITHOUT_EFFECT):
            raise unknown_name(name, ("optimizer", "loss", "metrics"), "an argument", "compile")
        if loss_weights is not None:
            raise ParameterError("None: there is one loss", f"{loss_weights}", "loss_weights")
        self.optimizer = optimizers.make(optimizer)
        self.loss = None if loss is None else losses.make(loss)
        self.metrics = checked_metrics(metrics)
        self.weighted_metrics = checked_metrics(weighted_metrics)
        self.freeze()

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train; the arguments are Keras'.

        Raises:
            StateError: if the model is not compiled.
            DataError, ShapeError: if the data do not fit the model or each other.
            NumericsError: if a number becomes NaN or infinite.
        """
        listeners = checked_callbacks(callbacks, "fit")
        plan = FitPlan(
            batch_size, epochs, verbose, listeners, validation_split, validation_data, shuffle,
            class_weight, initial_epoch, steps_per_epoch, validation_steps,
            validation_batch_size, validation_freq,
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
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on some data."""
        logs = trainer.evaluate(self, x, y, batch_size, sample_weight, steps, callbacks)
        return _figures(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Array:
        """The outputs for all samples of ``x``."""
        return trainer.predict(self, x, batch_size, steps, callbacks)

    def __call__(self, x: Any, training: bool = False) -> Array:
        """The outputs for one batch, outside ``fit``."""
        x = as_numbers(x, f"{self.name} x")
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
        return _figures(logs, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Loss and metrics of one batch."""
        logs = trainer.on_batch(self, x, y, sample_weight, None, train=False)
        return _figures(logs, return_dict)

    def predict_on_batch(self, x: Any) -> Array:
        """The outputs for one batch."""
        data = checked_arrays(self, None, x, None, None, "predict_on_batch")
        return trainer.predict(self, data.x, batch_size=len(data), steps=None)


def _figures(logs: dict[str, Any], return_dict: bool) -> Any:
    """A dict, or as Keras a list, or the loss alone."""
    values = list(logs.values())
    return logs if return_dict else values[0] if len(values) == 1 else values
