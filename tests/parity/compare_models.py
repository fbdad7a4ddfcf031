"""A whole model in both libraries: outputs, gradients, training, files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from studio.engine import Sequential, trainer
from studio.engine.layers import registry
from studio.engine.params import Declared
from studio.engine.saving import load_model, save_model
from studio.engine.saving.keras_config import to_keras
from studio.engine.saving.optimizer_state import optimizer_arrays
from studio.engine.workspace import Array
from tests.parity.compare import difference, keras, numpy_of, torch
from tests.parity.random_models import Config, Plan, typed

BATCH, EPOCHS = 4, 5
"""With 15 or 16 samples these are 20 steps."""

Run = tuple[dict[str, list[float]], list[Array]]
"""The history of a training, and the weights after it."""


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Keras' own numbers, such as learning rates, in the given type.

    On PyTorch Keras makes float32 of what would be float64; here it doesn't, as on TensorFlow.
    """
    before, narrower = keras.config.floatx(), keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE
    kept = narrower["float64"]
    keras.config.set_floatx(dtype)
    narrower["float64"] = dtype
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        narrower["float64"] = kept


def keras_arguments(config: Config) -> dict[str, Any]:
    """Our arguments for a constructor of Keras."""
    return {name: _argument(value) for name, value in config.items()}


def _argument(value: Any) -> Any:
    if isinstance(value, Declared):
        return keras.saving.deserialize_keras_object(to_keras(value))
    if isinstance(value, Mapping) and value.get("class_name") in registry:
        return _argument(registry.make(value))
    return value


def keras_model(plan: Plan, dtype: str) -> Any:
    """The plan's model in Keras, built and compiled."""
    stack = [
        getattr(keras.layers, name)(**keras_arguments(typed(config, dtype)))
        for name, config in plan.stack
    ]
    model = keras.Sequential([keras.Input(plan.input_shape, dtype=dtype), *stack])
    name, config = plan.optimizer
    loss, options = plan.loss
    model.compile(
        getattr(keras.optimizers, name)(**keras_arguments(config)),
        getattr(keras.losses, loss)(**options, dtype=dtype),
        metrics=list(plan.metrics),
    )
    return model


def pair(plan: Plan, dtype: str) -> tuple[Sequential, Any]:
    """The same model in both, with the same weights."""
    ours, theirs = plan.model(dtype), keras_model(plan, dtype)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@contextmanager
def calm(dtype: str) -> Iterator[None]:
    """A number type, and no warnings about what random models do."""
    with precision(dtype), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.filterwarnings("ignore", ".*[Yy]ou are using a softmax over axis", UserWarning)
        warnings.filterwarnings("ignore", ".*this layer does not support masking", UserWarning)
        yield


def differences(plan: Plan, dtype: str, folder: Path) -> dict[str, float]:
    """The worst difference of each kind."""
    with calm(dtype):
        ours, theirs = pair(plan, dtype)
        x, y, weight = plan.data(dtype)
        found = {"forward": predictions_apart(ours, theirs, x)}
        if not plan.random:
            found |= gradients_apart(ours, theirs, x, y, weight)
            found |= runs_apart(fit(ours, x, y, weight), fit(theirs, x, y, weight))
        found |= files_apart(ours, theirs, x, folder)
    return found


def rounding(plan: Plan) -> dict[str, float]:
    """How far Keras in float32 is from Keras in float64: what rounding alone does to this model."""
    gradients: list[list[Array]] = []
    runs: list[Run] = []
    for dtype in ("float32", "float64"):
        with calm(dtype):
            _, theirs = pair(plan, dtype)
            data = plan.data(dtype)
            gradients.append(keras_gradients(theirs, *data)[1])
            runs.append(fit(theirs, *data))
    return {"gradients": arrays_apart(*gradients), **runs_apart(*runs)}


def predictions_apart(ours: Sequential, theirs: Any, x: Array) -> float:
    """How far the predictions of two models are apart."""
    return difference(ours.predict(x), numpy_of(theirs(x, training=False)))


def keras_gradients(
    theirs: Any, x: Array, y: Array, weight: Array | None
) -> tuple[float, list[Array]]:
    """The loss of one batch in training, and its gradient for each weight."""
    kept = theirs.get_weights()
    theirs.zero_grad()
    out = theirs(x, training=True)
    column = None if weight is None else weight[:, None]
    loss = theirs.compute_loss(x, torch.tensor(y), out, column, training=True)
    loss.backward()
    gradients = [
        np.zeros(variable.shape) if variable.value.grad is None else numpy_of(variable.value.grad)
        for variable in theirs.trainable_variables
    ]
    theirs.set_weights(kept)
    return float(loss.detach()), gradients


def our_gradients(
    ours: Sequential, x: Array, y: Array, weight: Array | None
) -> tuple[float, list[Array]]:
    """The same of our model, regularizers included."""
    kept = ours.get_weights()
    assert ours.loss is not None
    with trainer.network_of(ours, ours.loss, 32) as network:
        data = trainer.checked_arrays(ours, ours.loss, x, y, weight, "parity")
        flat, result = network.gradient(data.x, np.asarray(data.y), data.weight)
        network.parameters.regularize(flat)
        gradients = [
            flat[where].reshape(w.shape).copy() for _, w, where in network.parameters.entries
        ]
    ours.set_weights(kept)
    return result.loss, gradients


def arrays_apart(found: list[Array], expected: list[Array]) -> float:
    """How far gradients are apart; one that is nothing beside the others is compared with them."""
    least = 1e-4 * max([1e-3, *(float(np.abs(array).max()) for array in expected)])
    return max(
        difference(a, b) if np.abs(b).max() >= least else float(np.abs(a - b).max()) / least
        for a, b in zip(found, expected, strict=True)
    )


def gradients_apart(
    ours: Sequential, theirs: Any, x: Array, y: Array, weight: Array | None
) -> dict[str, float]:
    """Loss and gradient of all weights, regularizers included, for one batch in training."""
    expected, wanted = keras_gradients(theirs, x, y, weight)
    loss, found = our_gradients(ours, x, y, weight)
    return {
        "loss": abs(loss - expected) / max(abs(expected), 0.1),
        "gradients": arrays_apart(found, wanted),
    }


def fit(model: Any, x: Array, y: Array, weight: Array | None) -> Run:
    """Some epochs: losses and metrics of training and validation, and the weights after them."""
    if weight is not None and not isinstance(model, Sequential) and len(model.output_shape) > 2:
        weight = weight[:, None]  # Keras wants a column where there are losses for each time step.
    history = model.fit(
        x, y, sample_weight=weight, batch_size=BATCH, epochs=EPOCHS, shuffle=False,
        validation_data=(x[:3], y[:3]), verbose=0,
    ).history  # fmt: skip
    return history, model.get_weights()


def runs_apart(found: Run, wanted: Run) -> dict[str, float]:
    """How far what two trainings reached is apart."""
    (history, ours), (expected, theirs) = found, wanted
    assert history.keys() == expected.keys(), f"{set(history)} are not {set(expected)}"
    figures = [difference(history[name], expected[name]) for name in expected]
    weights = [difference(a, b) for a, b in zip(ours, theirs, strict=True)]
    return {"history": max(figures), "trained weights": max(weights)}


def files_apart(ours: Sequential, theirs: Any, x: Array, folder: Path) -> dict[str, float]:
    """Predictions and weights after a way through a file, in both directions."""
    save_model(ours, folder / "ours.keras")
    read = keras.saving.load_model(folder / "ours.keras")
    there = predictions_apart(ours, read, x)
    theirs.save(folder / "theirs.keras")
    again = load_model(folder / "theirs.keras")
    back = predictions_apart(again, theirs, x)
    pairs = [*zip(ours.get_weights(), read.get_weights(), strict=True)]
    pairs += zip(again.get_weights(), theirs.get_weights(), strict=True)
    states = [*zip(_state(ours), _state(read), strict=True)]
    if theirs.optimizer.built:
        states += zip(_state(again), _state(theirs), strict=True)
    return {
        "file to Keras": there,
        "file from Keras": back,
        "weights in files": max(difference(a, b) for a, b in pairs),
        "optimizers in files": max(difference(a, b) for a, b in states),
    }


def _state(model: Any) -> list[Array]:
    """An optimizer's state in Keras' order."""
    if isinstance(model, Sequential):
        return list(optimizer_arrays(model).values())
    return [np.asarray(variable.numpy()) for variable in model.optimizer.variables]
