"""Layers to test, made from what they declare: configurations, input shapes, inputs, weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from studio.engine.errors import StudioError
from studio.engine.layers import registry
from studio.engine.layers.base import Layer
from studio.engine.registry import Named
from studio.engine.workspace import Array

SIZES = {2: (6,), 3: (7, 6), 4: (8, 7, 6), 5: (6, 5, 4, 6)}
"""A sample's shape by the input's rank: channels that groups of 1, 2 and 3 divide."""

REQUIRED: dict[str, dict[str, Any]] = {
    "GroupNormalization": {"groups": 2},
    "Normalization": {"mean": 0.5, "variance": 2.0},
    "Permute": {"dims": [2, 1]},
    "Reshape": {"target_shape": [-1, 3]},
}
"""Required arguments that depend on the input's shape, so a declaration can't name them."""

INDICES = {"Embedding": "input_dim"}
"""Layers whose input are whole numbers below the named argument."""

WITHOUT_NUMBERS = ("initializer", "regularizer", "constraint")
"""Arguments that don't change what a layer with given weights computes."""


@dataclass(frozen=True)
class Case:
    """A layer's configuration and the shape of one sample that it can take."""

    cls: type[Layer]
    config: dict[str, Any]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.cls.__name__}({self.config}) of {self.shape}"

    def layer(self, dtype: str = "float64") -> Layer:
        """The layer, built, its weights off their initial values."""
        layer = self.cls(**self.config, dtype=dtype)
        layer.build((None, *self.shape), seed=1)
        spread_weights(layer, self.random())
        return layer

    def random(self) -> np.random.Generator:
        """A stream that is the case's own."""
        return np.random.default_rng(crc32(str(self).encode()))

    def inputs(self, samples: int, dtype: str = "float64") -> Array:
        """A batch that nobody may write to."""
        shape = (samples, *self.shape)
        bound = INDICES.get(self.cls.__name__)
        if bound is None:
            x = self.random().normal(size=shape).astype(dtype)
        else:
            x = self.random().integers(0, self.config[bound], shape).astype("int64")
        x.setflags(write=False)
        return x


def spread_weights(layer: Layer, random: np.random.Generator) -> None:
    """Move the weights off their initial values, so that a bias of zeros hides nothing.

    Weights that are not trained (variances, counts) only grow.
    """
    for weight in layer.weights:
        if weight.value.dtype.kind != "f" or weight.name == "count":
            continue
        noise = random.uniform(-0.3, 0.3, weight.shape)
        if not weight.spec.trainable:
            noise = np.abs(noise)
        weight.value += noise.astype(weight.value.dtype)


def base_config(cls: type[Layer]) -> dict[str, Any]:
    """A valid value for each required argument."""
    given = REQUIRED.get(cls.__name__, {})
    return {
        name: given.get(name, param.samples()[0][-1])
        for name, param in cls.params.items()
        if param.required or name in given
    }


def configs(cls: type[Layer]) -> Iterator[dict[str, Any]]:
    """The base configuration, and it with each valid sample of each own argument."""
    base = base_config(cls)
    yield base
    for name, param in cls.params.items():
        if name in Layer.params or name.endswith(WITHOUT_NUMBERS):
            continue
        good = param.samples()[0]
        if isinstance(param, Named) and name.startswith("recurrent"):
            good = good[:3]
        if name == "activation" and "recurrent_dropout" in cls.params:
            # Its numbers grow without bounds from step to step.
            good = [value for value in good if value != "exponential"]
        for value in good:
            if name not in base or (
                base[name] != value and name not in REQUIRED.get(cls.__name__, {})
            ):
                yield {**base, name: value}


def shapes(cls: type[Layer]) -> list[tuple[int, ...]]:
    """One sample's shape for each rank that the layer takes."""
    ranks = cls.input_ranks or (2, 3, 4)
    return [SIZES[rank] for rank in ranks]


def cases(cls: type[Layer]) -> list[Case]:
    """All configurations with all shapes, without those that the layer itself refuses.

    The first configuration must fit at least one shape.
    """
    found: list[Case] = []
    for number, config in enumerate(configs(cls)):
        for shape in shapes(cls):
            try:
                cls(**config).compute_output_shape((None, *shape))
            except StudioError:
                continue
            found.append(Case(cls, config, shape))
        assert found or number, f"{cls.__name__}({config}) takes none of {shapes(cls)}"
    return found


def all_layers() -> list[type[Layer]]:
    """Every layer of the registry."""
    return list(registry)
