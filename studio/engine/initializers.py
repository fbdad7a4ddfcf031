"""How weights start (https://keras.io/api/layers/initializers/)."""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from studio.engine.params import Declared, Integer, Real
from studio.engine.random import default_seed, generator
from studio.engine.registry import Registry
from studio.engine.workspace import Array


class Initializer(Declared):
    """Makes the first values of a weight."""

    def __call__(
        self,
        shape: tuple[int, ...],
        dtype: Any = "float32",
        random: np.random.Generator | None = None,
    ) -> Array:
        """An array of that shape and type.

        Args:
            shape: the shape of the weight.
            dtype: its number type.
            random: the stream to draw from where the initializer has no seed of its own.
        """
        own = getattr(self, "seed", None)
        if own is not None:
            random = generator(own, "initializer")
        elif random is None:
            random = generator(default_seed(), "initializer")
        return self.draw(shape, random).astype(dtype, copy=False)

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """The values, in float64."""
        raise NotImplementedError


initializers: Registry[Initializer] = Registry("an initializer", Initializer)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs one position of a kernel connects: (fan_in, fan_out)."""
    if len(shape) < 2:
        size = prod(shape)
        return size, size
    field = prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


@initializers.register()
class Zeros(Initializer):
    """All 0."""

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return np.zeros(shape)


@initializers.register()
class Ones(Initializer):
    """All 1."""

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return np.ones(shape)


class _Seeded(Initializer):
    seed = Integer(None, minimum=0, optional=True, help="Fixes the drawn numbers.", advanced=True)


class _Scaled(_Seeded):
    """Variance scaling: the spread follows from the number of inputs and outputs."""

    gain: Callable[[int, int], float]

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        fan_in, fan_out = fans(shape)
        variance = type(self).gain(max(1, fan_in), max(1, fan_out))
        if type(self).__name__.endswith("Uniform"):
            limit = sqrt(3 * variance)
            return random.uniform(-limit, limit, shape)
        return truncated_normal(random, shape, sqrt(variance) / 0.87962566103423978)


@initializers.register()
class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    gain = staticmethod(lambda fan_in, fan_out: 2 / (fan_in + fan_out))


@initializers.register()
class HeUniform(_Scaled):
    """Uniform with variance 2 / fan_in (He et al., 2015)."""

    gain = staticmethod(lambda fan_in, fan_out: 2 / fan_in)


@initializers.register()
class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in (He et al., 2015)."""

    gain = staticmethod(lambda fan_in, fan_out: 2 / fan_in)


@initializers.register("Orthogonal", "OrthogonalInitializer")
class Orthogonal(_Seeded):
    """An orthogonal matrix from the QR decomposition of a normal one (Saxe et al., 2013)."""

    gain = Real(1.0, label="Gain", help="Factor on the matrix.")

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        rows, columns = prod(shape[:-1]), shape[-1]
        normal = random.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.sign(np.diag(r))
        return self.gain * (q.T if rows < columns else q).reshape(shape)


def truncated_normal(
    random: np.random.Generator, shape: tuple[int, ...], stddev: float, mean: float = 0.0
) -> Array:
    """Normal numbers, drawn again while further than two standard deviations from the mean."""
    values = random.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = random.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2
    return values * stddev + mean
