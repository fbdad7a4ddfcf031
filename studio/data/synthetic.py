"""Two classes of points in the plane that no straight line separates.

The functions are plain NumPy, so that exported code can carry them as they are.
"""

from __future__ import annotations

import numpy as np

from studio.data.dataset import Dataset, DatasetInfo
from studio.engine.params import Declared, Integer, Real
from studio.engine.workspace import Array


class Points(Declared):
    """What can be chosen for synthetic points."""

    samples = Integer(600, minimum=10, maximum=100_000, label="Samples",
                      help="How many points, half of them of each class.")  # fmt: skip
    noise = Real(0.1, minimum=0, maximum=1, label="Noise",
                 help="The standard deviation of a point from its arc of radius 1.")  # fmt: skip
    seed = Integer(0, minimum=0, maximum=2**32 - 1, label="Seed",
                   help="The same seed gives the same points again.")  # fmt: skip


class Moons(Points):
    """The options of :func:`moons`."""


class Spirals(Points):
    """The options of :func:`spirals`."""

    noise = Real(0.02, minimum=0, maximum=1, label="Noise",
                 help="The standard deviation of a point from its spiral of radius 1.")  # fmt: skip


def moons(samples: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Points on two half circles of radius 1 that reach into each other.

    Returns:
        Points (samples, 2) and their classes (samples,): 0 on the upper arc, 1 on the lower.
    """
    random = np.random.default_rng(seed)
    label = np.arange(samples) % 2
    angle = np.pi * random.random(samples)
    side = 1 - 2 * label
    points = np.stack([side * np.cos(angle) + label, side * np.sin(angle) + label / 2], axis=1)
    return points + random.normal(0, noise, points.shape), label


def spirals(samples: int, noise: float, seed: int) -> tuple[Array, Array]:
    """Points on two spirals of one and three quarter turns and radius 1, wound into each other.

    Returns:
        Points (samples, 2) and the spiral that each is on (samples,): 0 or 1.
    """
    random = np.random.default_rng(seed)
    label = np.arange(samples) % 2
    radius = random.random(samples)
    angle = 3.5 * np.pi * radius + np.pi * label
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + random.normal(0, noise, points.shape), label


def make_moons(info: DatasetInfo, options: Declared) -> Dataset:
    """The data set of :func:`moons`."""
    return _dataset(info, options, *moons(**options.get_config()))


def make_spirals(info: DatasetInfo, options: Declared) -> Dataset:
    """The data set of :func:`spirals`."""
    return _dataset(info, options, *spirals(**options.get_config()))


def _dataset(info: DatasetInfo, options: Declared, x: Array, y: Array) -> Dataset:
    return Dataset(info, x, y, ("x1", "x2"), options)
