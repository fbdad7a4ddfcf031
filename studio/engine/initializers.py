"""How weights start (https://keras.io/api/layers/initializers/)."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np

from studio.engine.errors import ParameterError, ShapeError
from studio.engine.params import Choice, Declared, Integer, Real
from studio.engine.random import default_seed, generator
from studio.engine.registry import Registry
from studio.engine.workspace import Array

CUT_DEVIATION = 0.87962566103423978
"""The standard deviation of a normal distribution cut off at two deviations."""


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

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Find out whether it can make a weight of that shape.

        Raises:
            ShapeError: if not.
        """


initializers: Registry[Initializer] = Registry("an initializer", Initializer)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs one position of a kernel connects: (fan_in, fan_out)."""
    if len(shape) < 2:
        size = prod(shape)
        return size, size
    field = prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


@initializers.register("zero")
class Zeros(Initializer):
    """All 0."""

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return np.zeros(shape)


@initializers.register("one")
class Ones(Initializer):
    """All 1."""

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return np.ones(shape)


@initializers.register()
class Constant(Initializer):
    """All the same number."""

    value = Real(0.0, label="Value", help="The number.")

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return np.full(shape, self.value)


@initializers.register("IdentityInitializer")
class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, else 0."""

    gain = Real(1.0, label="Gain", help="The number on the diagonal.")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ShapeError("a matrix", f"a weight of shape {shape}", type(self).__name__)

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        self.check_shape(shape)
        rows, columns = shape
        return self.gain * np.eye(rows, columns)


class Seeded(Initializer):
    """An initializer that draws random numbers, with ``seed`` always the same ones."""

    seed = Integer(None, minimum=0, optional=True, help="Fixes the drawn numbers.", advanced=True)


@initializers.register("normal")
class RandomNormal(Seeded):
    """Normal with ``mean`` and ``stddev``."""

    mean = Real(0.0, label="Mean", help="The middle.")
    stddev = Real(0.05, minimum=0, label="Deviation", help="The standard deviation.")

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return random.normal(self.mean, self.stddev, shape)


@initializers.register()
class TruncatedNormal(Seeded):
    """Normal with ``mean`` and ``stddev``; none further from the mean than two deviations."""

    mean = Real(0.0, label="Mean", help="The middle.")
    stddev = Real(0.05, minimum=0, label="Deviation", help="The deviation before cutting off.")

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return cut_normal(random, shape, self.stddev, self.mean)


@initializers.register("uniform")
class RandomUniform(Seeded):
    """Uniform from ``minval`` to ``maxval``."""

    minval = Real(-0.05, label="Lowest", help="The lowest number.")
    maxval = Real(0.05, label="Highest", help="The highest number.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.minval > self.maxval:
            where = type(self).__name__
            raise ParameterError(f"maxval of at least {self.minval:g}", f"{self.maxval:g}", where)

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return random.uniform(self.minval, self.maxval, shape)


@initializers.register()
class VarianceScaling(Seeded):
    """Variance scale / n, with n the inputs, the outputs, or the mean of both."""

    scale = Real(1.0, above=0, label="Scale", help="The variance, times the number of inputs.")
    mode = Choice("fan_in", options=("fan_in", "fan_out", "fan_avg"), label="Mode",
                  help="Whether inputs, outputs or their mean count.")  # fmt: skip
    distribution = Choice(
        "truncated_normal",
        options=("truncated_normal", "untruncated_normal", "uniform", "normal"),
        help="How the numbers are spread; 'normal' means the truncated one.",
    )

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return scaled(random, shape, self.scale, self.mode, self.distribution)


class _Scaled(Seeded):
    scaling: tuple[float, str, str]

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        return scaled(random, shape, *self.scaling)


@initializers.register()
class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    scaling = (1, "fan_avg", "uniform")


@initializers.register()
class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    scaling = (1, "fan_avg", "truncated_normal")


@initializers.register()
class HeUniform(_Scaled):
    """Uniform with variance 2 / fan_in (He et al., 2015)."""

    scaling = (2, "fan_in", "uniform")


@initializers.register()
class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in (He et al., 2015)."""

    scaling = (2, "fan_in", "truncated_normal")


@initializers.register()
class LecunUniform(_Scaled):
    """Uniform with variance 1 / fan_in (LeCun et al., 1998)."""

    scaling = (1, "fan_in", "uniform")


@initializers.register()
class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / fan_in (LeCun et al., 1998)."""

    scaling = (1, "fan_in", "truncated_normal")


@initializers.register("OrthogonalInitializer")
class Orthogonal(Seeded):
    """An orthogonal matrix from the QR decomposition of a normal one (Saxe et al., 2013)."""

    gain = Real(1.0, label="Gain", help="Factor on the matrix.")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            wanted = "a weight of at least two dimensions"
            raise ShapeError(wanted, f"shape {shape}", type(self).__name__)

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        self.check_shape(shape)
        rows, columns = prod(shape[:-1]), shape[-1]
        normal = random.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.sign(np.diag(r))
        return self.gain * (q.T if rows < columns else q).reshape(shape)


def scaled(
    random: np.random.Generator, shape: tuple[int, ...], scale: float, mode: str, distribution: str
) -> Array:
    """Numbers of variance scale / n, as :class:`VarianceScaling` describes them."""
    fan_in, fan_out = fans(shape)
    size = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1, size)
    deviation = sqrt(variance)
    if distribution == "uniform":
        limit = sqrt(3 * variance)
        return random.uniform(-limit, limit, shape)
    if distribution == "untruncated_normal":
        return random.normal(0, deviation, shape)
    return cut_normal(random, shape, deviation / CUT_DEVIATION)


def cut_normal(
    random: np.random.Generator, shape: tuple[int, ...], stddev: float, mean: float = 0.0
) -> Array:
    """Normal numbers, drawn again while further than two standard deviations from the mean."""
    values = random.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = random.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2
    return values * stddev + mean


constant, identity, ones, orthogonal, zeros = Constant, Identity, Ones, Orthogonal, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
get = deserialize = initializers.make
serialize = initializers.serialize
