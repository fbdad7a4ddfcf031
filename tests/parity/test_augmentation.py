"""Layers that change images at random, against Keras: ranges of one number leave nothing random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.engine import layers
from studio.engine.workspace import Context, Moment
from tests.parity.compare import difference, keras, numpy_of
from tests.parity.worst import note

CASES: list[tuple[str, dict[str, Any]]] = [
    ("RandomRotation", {"factor": [0.1, 0.1]}),
    ("RandomRotation", {"factor": [-0.2, -0.2], "fill_mode": "constant", "fill_value": 0.3}),
    ("RandomTranslation", {"height_factor": [0.2, 0.2], "width_factor": [-0.13, -0.13]}),
    (
        "RandomTranslation",
        {"height_factor": [-0.3, -0.3], "width_factor": [0.4, 0.4], "fill_mode": "wrap"},
    ),
    ("RandomZoom", {"height_factor": [0.2, 0.2]}),
    (
        "RandomZoom",
        {
            "height_factor": [0.2, 0.2],
            "width_factor": [-0.3, -0.3],
            "interpolation": "nearest",
        },
    ),
]


def images() -> np.ndarray:
    """Four images that are not square."""
    return np.random.default_rng(4).random((4, 8, 10, 2), "float32")


@pytest.mark.parametrize(("name", "config"), CASES)
def test_moved_pixels(name: str, config: dict[str, Any]) -> None:
    x = images()
    ours, _ = getattr(layers, name)(**config).forward(x, Context(moment=Moment(training=True)))
    theirs = getattr(keras.layers, name)(**config)(x, training=True)
    found = difference(ours, numpy_of(theirs))
    note("random images", found, name)
    assert found < 1e-5


@pytest.mark.parametrize("factor", [0.4, [0.1, 0.5], [0.5, 0.1]])
def test_contrast_is_drawn_from_the_same_range(factor: Any) -> None:
    """Keras takes one number as a range above 1 only, otherwise than it documents: so two of it."""
    x = np.repeat(images()[:1], 2000, axis=0) + 2
    layer = layers.RandomContrast(factor, value_range=(-1e3, 1e3))
    ours, _ = layer.forward(x, Context(moment=Moment(training=True)))
    pair = factor if isinstance(factor, list) else [factor, factor]
    their_layer = keras.layers.RandomContrast(pair, value_range=(-1e3, 1e3))
    theirs = numpy_of(their_layer(x, training=True))
    spread = images()[0].std(axis=(0, 1))
    for found in (ours, theirs):
        drawn = found.std(axis=(1, 2)) / spread
        below, above = sorted(pair)
        assert drawn.min() == pytest.approx(1 - below, abs=0.005)
        assert drawn.max() == pytest.approx(1 + above, abs=0.005)
