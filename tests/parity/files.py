"""Models through ``.keras`` files, from our engine to Keras and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from studio.engine import Sequential
from studio.engine.saving import load_model, save_model
from tests.parity.compare import difference, keras, numpy_of


def to_keras(model: Sequential, folder: Path) -> Any:
    """Keras' own reading of the file that we write."""
    save_model(model, folder / "ours.keras")
    return keras.saving.load_model(folder / "ours.keras")


def from_keras(model: Any, folder: Path) -> Sequential:
    """Our reading of the file that Keras writes."""
    model.save(folder / "theirs.keras")
    return load_model(folder / "theirs.keras")


def predictions_apart(ours: Sequential, theirs: Any, x: Any) -> float:
    """How far the predictions of two models are apart."""
    return difference(ours.predict(x), numpy_of(theirs(x, training=False)))


def states_apart(ours: Sequential, theirs: Any) -> float:
    """How far weights and optimizer states are apart, read from files that each of them wrote."""
    pairs = list(zip(ours.get_weights(), theirs.get_weights(), strict=True))
    return max([difference(a, b) for a, b in pairs], default=0.0)


def optimizer_state(model: Any) -> list[Any]:
    """The variables of a Keras model's optimizer."""
    return [np.asarray(variable.numpy()) for variable in model.optimizer.variables]
