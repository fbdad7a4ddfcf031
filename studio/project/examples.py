"""Projects to start from.

Each is also shipped as a file; ``python -m studio.project.examples FOLDER`` writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.engine.layers import registry as layers
from studio.project.edits import set_data, set_settings
from studio.project.file import SUFFIX, Saved, save
from studio.project.specs import set_spec_param
from studio.project.values import Block, DataChoice, Project, Spec


@dataclass(frozen=True)
class Example:
    """A project that trains well as it is.

    Args:
        name: the name of its file, without the ending.
        title: what people call it.
        description: what it shows, in a sentence or two.
        project: the project.
    """

    name: str
    title: str
    description: str
    project: Project


def _project(data: str, layers: Iterable[Spec], **settings: Any) -> Project:
    blocks = tuple(Block(number, layer) for number, layer in enumerate(layers, 1))
    project = set_data(Project(blocks), DataChoice(data))
    return set_settings(project, **settings)


def _layer(class_name: str, **config: Any) -> Spec:
    spec = Spec(class_name)
    for name, value in config.items():
        spec = set_spec_param(spec, layers, name, value)
    return spec


def _dense(units: int, activation: str, **config: Any) -> Spec:
    return _layer("Dense", units=units, activation=activation, **config)


def _conv(filters: int) -> Spec:
    return _layer("Conv2D", filters=filters, kernel_size=3, padding="same", activation="relu")


def _adam(learning_rate: float) -> Spec:
    return Spec("Adam", {"learning_rate": learning_rate})


_POOL, _FLATTEN = Spec("MaxPooling2D"), Spec("Flatten")
_L2 = Spec("L2", {"l2": 0.001}).value

EXAMPLES = (
    Example(
        "mnist_cnn",
        "Handwritten digits",
        "A small convolutional network reads 5,000 real digits: over 95 % right after 5 epochs.",
        _project(
            "mnist_5k",
            [
                _conv(16), _POOL, _conv(32), _POOL, _FLATTEN, _layer("Dropout", rate=0.25),
                _dense(10, "softmax"),
            ],
            optimizer=_adam(0.003),
        ),
    ),
    Example(
        "digits_cnn",
        "Small digits",
        "The same on images of 8 × 8 pixels: trained within a second.",
        _project(
            "digits", [_conv(16), _POOL, _FLATTEN, _dense(32, "relu"), _dense(10, "softmax")],
            epochs=15,
        ),
    ),
    Example(
        "iris_mlp",
        "Iris flowers",
        "Two layers tell three species apart by four lengths.",
        _project(
            "iris", [_dense(16, "relu"), _dense(3, "softmax")],
            optimizer=_adam(0.01), epochs=50, batch_size=16,
        ),
    ),
    Example(
        "spirals_mlp",
        "Two spirals",
        "No straight line separates them; two hidden layers bend one that does.",
        _project(
            "spirals", [_dense(32, "tanh"), _dense(32, "tanh"), _dense(1, "sigmoid")],
            optimizer=_adam(0.01), epochs=100,
        ),
    ),
    Example(
        "breast_cancer_mlp",
        "Breast cancer",
        "Two classes of unequal size: precision and recall say more than accuracy. Dropout and L2 "
        "keep the network from learning single patients.",
        _project(
            "breast_cancer",
            [
                _dense(16, "relu", kernel_regularizer=_L2), _layer("Dropout", rate=0.2),
                _dense(1, "sigmoid"),
            ],
            epochs=30,
        ),
    ),
    Example(
        "diabetes_regression",
        "Diabetes progression",
        "A regression: the output is a number, the loss a squared difference.",
        _project(
            "diabetes", [_dense(32, "relu"), _dense(1, "linear")],
            epochs=30, validation_split=0.25,
        ),
    ),
)  # fmt: skip
START = EXAMPLES[0]
"""The example that the window opens with."""


def write_examples(folder: Path) -> None:
    """Write a file for each example into a folder."""
    for example in EXAMPLES:
        save(folder / f"{example.name}{SUFFIX}", Saved(example.project))


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]))
