"""Random Sequential models, made from what layers, losses and optimizers declare.

A plan is a value that both libraries can be built from. The same seed makes the same plan while
the declarations stay as they are; whatever is registered takes part without being named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import prod
from random import Random
from typing import Any

import numpy as np

from studio.engine import Input, Sequential
from studio.engine.errors import StudioError
from studio.engine.layers import registry as layers
from studio.engine.layers.base import Layer
from studio.engine.layers.normalization_by_group import GroupNormalization
from studio.engine.layers.normalization_by_sample import LayerNormalization, UnitNormalization
from studio.engine.losses import losses
from studio.engine.optimizers import Optimizer, optimizers
from studio.engine.parameters import Parameters
from studio.engine.params import Boolean, Declared, Integer, Integers, Param
from studio.engine.regularizers import OrthogonalRegularizer, regularizers
from studio.engine.workspace import Array, Context, Moment, Shape
from tests.layer_cases import INDICES, spread_weights
from tests.parity.exceptions import beyond_keras

MAX_NUMBERS, MAX_WEIGHTS = 1_500, 12_000
"""How large the output of a layer for one sample, and its weights, may be."""
STILL = {
    "rate": 0.0, "dropout": 0.0, "recurrent_dropout": 0.0, "stddev": 0.0, "factor": 0.0,
    "height_factor": 0.0, "width_factor": 0.0,
}  # fmt: skip
"""What makes a random layer compute the same in both libraries while training."""
POSITIVE = {"MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Poisson", "KLDivergence"}
"""Losses that are meant for positive numbers."""

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """A model, how it is trained, and its data."""

    seed: int
    input_shape: tuple[int, ...]
    stack: tuple[tuple[str, Config], ...]
    loss: tuple[str, Config]
    optimizer: tuple[str, Config]
    metrics: tuple[str, ...]
    random: bool
    x: Array = field(repr=False)
    y: Array = field(repr=False)
    weight: Array | None = field(repr=False)

    def model(self, dtype: str) -> Sequential:
        """Our model, built and compiled, its weights off their initial values."""
        model = Sequential([Input(self.input_shape), *made(self.stack, dtype)], seed=self.seed)
        random = np.random.default_rng(self.seed)
        for layer in model.layers:
            spread_weights(layer, random)
        name, config = self.optimizer
        model.compile(
            optimizers.make({"class_name": name, "config": config}),
            losses.make({"class_name": self.loss[0], "config": self.loss[1]}),
            metrics=list(self.metrics),
        )
        return model

    def data(self, dtype: str) -> tuple[Array, Array, Array | None]:
        """Inputs, targets and the samples' weights."""
        weight = None if self.weight is None else self.weight.astype(dtype)
        return self.x.astype(dtype), self.y.astype(dtype), weight


def plan(seed: int) -> Plan:
    """The random model of that seed; each layer and each optimizer has its turn."""
    random, numbers = Random(seed), np.random.default_rng(seed)
    known = sorted(layers, key=lambda cls: cls.__name__)
    featured = known[seed % len(known)]
    for tried in count():
        shape = _input_shape(random, featured)
        stack, tokens = _stack(random, shape, featured)
        loss, activation = _loss(random)
        stack += _head(random, stack, shape, activation)
        try:
            model = Sequential([Input(shape), *made(stack, "float32")])
            Parameters(model.layers).penalty()
        except StudioError:
            continue
        if single(model) or any(constant(layer) for layer in model.layers):
            continue
        if model.trainable_weights and (
            any(name == featured.__name__ for name, _ in stack) or tried > 50
        ):
            break
    samples = random.choice((15, 16))
    masks = any(layer.makes_mask for layer in model.layers)
    whole = (samples, *shape)
    x = numbers.integers(0, tokens, whole) if tokens else numbers.normal(size=whole)
    out = (samples, *(size or 1 for size in model.output_shape[1:]))
    return Plan(
        seed=seed,
        input_shape=shape,
        stack=tuple(stack),
        loss=loss,
        optimizer=_optimizer(random, seed),
        metrics=_metrics(random, loss[0]),
        random=is_random(model, x),
        x=x,
        y=_targets(numbers, loss[0], out),
        # Weights for masked time steps fail in Keras on PyTorch.
        weight=None if masks or random.random() < 0.7 else numbers.uniform(0.5, 2, samples),
    )


def single(model: Sequential) -> bool:
    """Whether single rows or columns are to be orthogonal to each other, which Keras makes NaN."""
    return any(
        isinstance(weight.spec.regularizer, OrthogonalRegularizer) and 1 in weight.shape
        for weight in model.weights
    )


def constant(layer: Layer) -> bool:
    """Whether it normalizes one or two numbers: ±1, with slopes that are rounding errors."""
    inner = getattr(layer, "layer", layer)
    if isinstance(inner, GroupNormalization) and inner.input_shape is not None:
        groups = inner.input_shape[-1] if inner.groups == -1 else inner.groups
        return prod(size or 1 for size in inner.input_shape[1:]) <= 2 * (groups or 1)
    if not isinstance(inner, LayerNormalization | UnitNormalization) or layer.input_shape is None:
        return False
    axes = (inner.axis,) if isinstance(inner.axis, int) else inner.axis
    return prod(layer.input_shape[axis] or 1 for axis in axes) <= 2


def made(stack: Sequence[tuple[str, Config]], dtype: str) -> list[Layer]:
    """The layers of a plan."""
    return [layers.make({"class_name": n, "config": typed(c, dtype)}) for n, c in stack]


def typed(config: Config, dtype: str) -> Config:
    """A layer's arguments with a number type, for layers within it too."""
    inner = {
        name: {**value, "config": typed(value["config"], dtype)}
        for name, value in config.items()
        if name.endswith("layer") and isinstance(value, Mapping)
    }
    return {**config, **inner, "dtype": dtype}


def is_random(model: Sequential, x: Array) -> bool:
    """Whether a layer draws numbers while training, so that two libraries can't agree."""
    y, mask = x.astype("float32"), None
    for layer in model.layers:
        moments = [Moment(seed=seed, training=True) for seed in (1, 2)]
        contexts = [Context(moment=moment, mask=mask) for moment in moments]
        one, other = (layer.forward(y, context)[0] for context in contexts)
        if not np.array_equal(one, other, equal_nan=True):
            return True
        y, mask = one, layer.compute_mask(y, mask)
    return False


def _input_shape(random: Random, featured: type[Layer]) -> tuple[int, ...]:
    if featured.__name__ in INDICES:
        return (random.randint(3, 7),)
    rank = random.choice(featured.input_ranks or (2, 3, 3, 4, 4, 5))
    if rank == 2:
        return (random.randint(2, 8),)
    if rank == 3:
        return (random.randint(3, 8), random.randint(1, 5))
    if rank == 4:
        return (random.randint(4, 8), random.randint(4, 8), random.choice((1, 2, 3, 4)))
    sizes = random.randint(3, 5), random.randint(3, 5), random.randint(3, 4)
    return (*sizes, random.choice((1, 2)))


def _stack(
    random: Random, shape: tuple[int, ...], featured: type[Layer]
) -> tuple[list[tuple[str, Config]], int]:
    """Some layers that fit on each other, and how many tokens the first reads, if it does."""
    found: list[tuple[str, Config]] = []
    tokens = 0
    current: Shape = (None, *shape)
    still = random.random() < 0.8
    wanted = random.randint(1, 5)
    for _ in range(100):
        fitting = [c for c in layers if c.input_ranks is None or len(current) in c.input_ranks]
        cls = featured if random.random() < 0.3 else random.choice(fitting)
        reads_tokens = cls.__name__ in INDICES
        if reads_tokens and (found or len(shape) > 1):
            continue
        config = layer_config(random, cls, current, still)
        masked = any(layers.find(name).makes_mask for name, _ in found)
        if beyond_keras(cls.__name__, config, shape) or (masked and cls.__name__ == "Softmax"):
            continue
        if "exponential" in config.values():  # Leads to probabilities of 0, which Keras clips.
            continue
        try:
            layer = cls(**config)
            following = layer.compute_output_shape(current)
            small = layer.count_params(current) <= MAX_WEIGHTS
        except StudioError:
            continue
        if small and prod(size or 1 for size in following[1:]) <= MAX_NUMBERS:
            found.append((cls.__name__, config))
            current = following
            tokens = config[INDICES[cls.__name__]] if reads_tokens else tokens
        if len(found) == wanted:
            break
    return found, tokens


def layer_config(random: Random, cls: type[Layer], shape: Shape, still: bool) -> Config:
    """Random valid arguments of a layer: the required ones and some others."""
    config: dict[str, Any] = {}
    for name, param in cls.params.items():
        if name in ("name", "dtype", "seed", "noise_shape"):
            continue
        if name.endswith("initializer") and not name.startswith(("kernel", "recurrent", "embed")):
            continue  # Some only make matrices, and a variance must not be negative.
        rare = name.endswith(("initializer", "constraint", "activity_regularizer", "trainable"))
        if param.required or random.random() < (0.05 if rare else 0.3):
            config[name] = _value(random, param)
    if still:
        config |= {name: value for name, value in STILL.items() if name in config}
    if cls.__name__ == "Reshape":
        config["target_shape"] = _factors(random, prod(size or 1 for size in shape[1:]))
    if cls.__name__ == "Permute":
        config["dims"] = random.sample(range(1, len(shape)), len(shape) - 1)
    return config


def _value(random: Random, param: Param[Any]) -> Any:
    if isinstance(param, Integer):
        low = 1 if param.minimum is None else param.minimum
        high = low + 5 if param.maximum is None else min(low + 5, param.maximum)
        return random.randint(low, high)
    if isinstance(param, Integers) and param.length and param.minimum is not None:
        return [random.randint(param.minimum, param.minimum + 2) for _ in range(param.length)]
    if param.name == "activity_regularizer":
        return random.choice(("l1", "l2"))
    if param.name.endswith("regularizer"):
        return random.choice([name for name in regularizers.names if name in param.samples()[0]])
    return random.choice(param.samples()[0])


def _factors(random: Random, size: int) -> list[int]:
    """A shape with as many numbers."""
    divisors = [n for n in range(1, size + 1) if size % n == 0]
    first = random.choice(divisors)
    return [first, -1] if random.random() < 0.5 else [first, size // first]


def _loss(random: Random) -> tuple[tuple[str, Config], str]:
    """A loss, and the activation that the model should end with."""
    cls = random.choice(list(losses))
    name = cls.__name__
    config = _options(random, cls)
    if config.get("from_logits"):
        return (name, config), "linear"
    if name.startswith("Binary"):
        return (name, config), "sigmoid"
    if "Categorical" in name and "Hinge" not in name:
        return (name, config), "softmax"
    if name in POSITIVE:
        return (name, config), random.choice(("sigmoid", "softmax"))
    return (name, config), random.choice(("linear", "tanh"))


def _options(random: Random, cls: type[Declared]) -> dict[str, Any]:
    """Some arguments that are not required, at valid values."""
    config: dict[str, Any] = {}
    for name, param in cls.params.items():
        if name in ("name", "dtype", "reduction", "ignore_class", "axis", "learning_rate", "alpha"):
            continue
        if param.required or random.random() < 0.3:
            config[name] = _value(random, param)
    return config


def _head(
    random: Random, stack: list[tuple[str, Config]], shape: tuple[int, ...], activation: str
) -> Iterator[tuple[str, Config]]:
    """Layers that end the model in one row per sample, or sometimes one per time step."""
    current: Shape = (None, *shape)
    for name, config in stack:
        current = layers.find(name)(**config).compute_output_shape(current)
    if len(current) > 3 or (len(current) > 2 and random.random() < 0.6):
        yield "Flatten", {}
    units = random.randint(2, 4) if activation != "sigmoid" else random.randint(1, 3)
    yield "Dense", {"units": units, "activation": activation}


def _metrics(random: Random, loss: str) -> tuple[str, ...]:
    """Metrics by name; class numbers have no distance from probabilities."""
    names = ("accuracy",) if loss.startswith("Sparse") else ("mse", "mae", "accuracy")
    return tuple(random.sample(names, random.randrange(len(names))))


def _targets(numbers: np.random.Generator, loss: str, shape: tuple[int, ...]) -> Array:
    if loss.startswith("SparseCategorical"):
        return numbers.integers(0, shape[-1], shape[:-1])
    if "Categorical" in loss:
        return np.eye(shape[-1])[numbers.integers(0, shape[-1], shape[:-1])]
    if loss.startswith("Binary"):
        return numbers.integers(0, 2, shape).astype("f4")
    if "Hinge" in loss:
        return numbers.choice([-1.0, 1.0], shape)
    if loss in POSITIVE:
        return numbers.uniform(0.2, 0.9, shape)
    return numbers.normal(size=shape)


def _optimizer(random: Random, seed: int) -> tuple[str, Config]:
    """Each optimizer in turn, with random arguments and a rate that a few steps survive.

    But Lion, which goes by the signs even of what are rounding errors.
    """
    classes: list[type[Optimizer]] = [cls for cls in optimizers if cls.__name__ != "Lion"]
    cls = classes[seed % len(classes)]
    config = _options(random, cls)
    clips = [name for name in config if name in ("clipnorm", "clipvalue", "global_clipnorm")]
    for name in clips[1:]:
        del config[name]
    for name, param in cls.params.items():
        if isinstance(param, Boolean) and name not in config and random.random() < 0.3:
            config[name] = True
    config["learning_rate"] = random.choice((2.0**-6, 2.0**-8, 2.0**-10))
    return cls.__name__, config
