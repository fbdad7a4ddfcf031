"""The layer contract and the registry of layers.

A layer declares its hyperparameters, its weights (``weight_specs``), its output shape and two
functions. It keeps weights but nothing about a batch: ``forward`` returns the output together with
whatever ``backward`` will need, so shards of a batch can run on threads at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from studio.engine.activations import Activation, Linear
from studio.engine.arrays import as_numbers
from studio.engine.config import floatx
from studio.engine.constraints import Constraint
from studio.engine.errors import ParameterError, ShapeError, StateError
from studio.engine.initializers import Initializer
from studio.engine.layers.input import input_shape as input_shape_of
from studio.engine.params import Boolean, Choice, Declared, Text, snake_case
from studio.engine.plan import Do
from studio.engine.random import default_seed, generator
from studio.engine.registry import Registry
from studio.engine.regularizers import Regularizer
from studio.engine.workspace import Array, Context, Moment, Shape, Workspace

Category = Literal[
    "", "Core", "Convolution", "Pooling", "Recurrent", "Regularization", "Normalization",
    "Activation", "Reshaping", "Preprocessing",
]  # fmt: skip
Gradients = Mapping[str, Array]


@dataclass(frozen=True)
class WeightSpec:
    """What a layer needs a weight to be, before there is any memory for it."""

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    regularizer: Regularizer | None = None
    constraint: Constraint | None = None
    trainable: bool = True


@dataclass(eq=False, slots=True)
class Weight:
    """The values of one weight. ``value`` may be a view into a buffer shared by the model."""

    spec: WeightSpec
    value: Array
    trainable: bool = True

    @property
    def name(self) -> str:
        """Its name within the layer, such as ``"kernel"``."""
        return self.spec.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.spec.shape


class Layer(Declared):
    """Base of all layers.

    A subclass sets ``category`` and ``help``, declares parameters, and defines
    :meth:`compute_output_shape`, :meth:`forward`, :meth:`backward` and, if it has weights,
    :meth:`weight_specs`. A layer without a category is not offered in the palette. One that does
    the same in every step may lay it out instead, see ``planned.py``.
    """

    category: ClassVar[Category] = ""
    help: ClassVar[str] = ""
    mixes_samples: ClassVar[bool] = False
    """Whether a sample's output depends on the others in the batch; such a layer sees it whole."""
    supports_masking: ClassVar[bool] = True
    """Whether its output has the time steps of its input, so that a mask goes on to the next."""
    makes_mask: ClassVar[bool] = False
    """Whether :meth:`compute_mask` starts a mask of its own."""
    picks_largest: ClassVar[bool] = False
    """Whether each output is the largest of some inputs, and its gradient goes to one of them."""
    supplies: ClassVar[bool] = False
    """Whether it gives its output to the next layer as that asks for it: see ``supply.py``."""
    is_laid_out: ClassVar[bool] = False
    """Whether it tells what is to be called in every step, see ``planned.py``."""
    reads_integers: ClassVar[bool] = False
    """Whether its input are whole numbers, which a model then hands over as they are."""
    takes_any_activation: ClassVar[bool] = False
    """Whether its activation may change the shape, or work along an axis in the middle."""
    input_ranks: ClassVar[tuple[int, ...] | None] = None
    """The ranks that an input may have, batch included; None for any from 2 up."""

    trainable = Boolean(True, label="Trainable", help="Whether training changes its weights.")
    name = Text(None, optional=True, label="Name", help="Its name in summaries and files.")
    dtype = Choice(None, options=("float32", "float64"), optional=True, advanced=True,
                   label="Number type", help="Precision of weights and outputs.")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        input_shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs and "input_dim" not in self.params:
            input_shape = (kwargs.pop("input_dim"),)
        super().__init__(*args, **kwargs)
        self.has_own_name = bool(self.name)
        if not self.has_own_name:
            self.name = snake_case(type(self).__name__)
        self.dtype = self.dtype or floatx()
        self.weights: list[Weight] = []
        self.prefix = ""
        self.within: Layer | None = None
        self.built = False
        self.input_shape: Shape | None = None
        self.declared_input_shape: Shape | None = None
        if input_shape is not None:
            self.declared_input_shape = input_shape_of(input_shape, f"{self.label} input_shape")
        if not self.takes_any_activation:
            self._check_activations()

    def _check_activations(self) -> None:
        for name in type(self).params:
            chosen = getattr(self, name)
            if isinstance(chosen, Activation) and not chosen.fits_any_shape:
                raise ParameterError(
                    "an activation that leaves shapes as they are", repr(chosen),
                    f"{self.label} {name}", "Put it into an Activation layer of its own.",
                )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        # Two layers of the same settings are still two layers, each with weights of its own.
        return self is other

    def __hash__(self) -> int:
        return id(self)

    # What a layer says of itself

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The output's shape for an input of ``input_shape``, both with the batch (None) first.

        Raises:
            ShapeError: if the layer cannot take such an input.
        """
        self.check_input(input_shape)
        return input_shape

    def weight_specs(self, input_shape: Shape) -> tuple[WeightSpec, ...]:
        """The weights it needs for that input: the trainable ones first, in Keras' order."""
        return ()

    def forward(self, x: Array, context: Context) -> tuple[Array, Any]:
        """The output for a shard ``x``, and what :meth:`backward` will need."""
        raise NotImplementedError

    def backward(self, dy: Array, cache: Any, context: Context) -> tuple[Array | None, Gradients]:
        """The gradients of the input and of each trainable weight, from that of the output.

        The input's may be None where ``context.needs_input_gradient`` is False.
        """
        raise NotImplementedError

    def learned(self, cache: Any) -> Mapping[str, Array]:
        """New values of weights that are learned without a gradient, such as moving averages.

        Asked of layers that mix samples, after each training batch.
        """
        return {}

    def compute_mask(self, x: Array, mask: Array | None) -> Array | None:
        """The mask of the output, from the input and its mask."""
        return mask if self.supports_masking else None

    def key_settings(self) -> str:
        """Its most telling settings in a few words: ``"16 filters · 3×3 · relu"``."""
        own = [param for name, param in type(self).params.items() if name not in Layer.params]
        words: list[str] = []
        for position, param in enumerate(own):
            value = getattr(self, param.name)
            usual = not param.required and value == param.checked(param.default)
            if value is not None and not param.advanced and (position == 0 or not usual):
                words.append(param.in_words(value))
        return " · ".join(words)

    @property
    def output_activation(self) -> Activation | None:
        """The activation that its output ends with, for a loss that wants what is before it."""
        return None

    @property
    def adds_bias(self) -> bool:
        """Whether a bias is added last before that; it can do without, see ``late.py``."""
        return False

    # What follows from it

    @property
    def label(self) -> str:
        """How errors name it: ``"Dense 'dense_1'"``."""
        return f"{type(self).__name__} {self.name!r}"

    def gradients(self, context: Context) -> Gradients:
        """Where the gradients of its weights are to be written."""
        return {weight.name: context.gradient(weight.name, weight.value) for weight in self.weights}

    def check_input(self, input_shape: Shape) -> None:
        """Check the input's rank.

        Raises:
            ShapeError: if it is not one of ``input_ranks``.
        """
        ranks = type(self).input_ranks
        if len(input_shape) < 2 if ranks is None else len(input_shape) not in ranks:
            wanted = ", ".join(str(rank - 1) for rank in ranks) if ranks else "at least 1"
            wanted = wanted.replace(", ", " or ")
            raise ShapeError(
                f"an input with {wanted} dimension{'' if wanted == '1' else 's'} per sample",
                f"{len(input_shape) - 1}: {shape_text(input_shape)}",
                self.label,
            )

    def build(self, input_shape: Shape, seed: int | None = None, position: int = 0) -> None:
        """Make the weights for inputs of that shape.

        Raises:
            ShapeError: if the layer cannot take such an input.
        """
        self.compute_output_shape(input_shape)
        seed = default_seed() if seed is None else seed
        self.weights = []
        for spec in self.weight_specs(input_shape):
            random = generator(seed, "weights", position, spec.name)
            value = spec.initializer(spec.shape, self.dtype, random)
            self.weights.append(Weight(spec, value, spec.trainable and self.trainable))
        self.input_shape = input_shape
        self.built = True

    def adopt(self, weights: list[Weight], input_shape: Shape, prefix: str) -> None:
        """Work with weights of a layer around this one, whose names there begin with ``prefix``."""
        self.weights, self.input_shape, self.prefix = weights, input_shape, prefix
        self.built = True

    def freeze(self) -> None:
        """Let ``trainable`` take effect on the weights."""
        for weight in self.weights:
            weight.trainable = weight.spec.trainable and self.trainable

    def __getitem__(self, name: str) -> Array:
        """The values of the weight of that name."""
        wanted = self.prefix + name
        for weight in self.weights:
            if weight.spec.name == wanted:
                return weight.value
        raise StateError(f"a weight named {name!r}", "none; the layer is not built", self.label)

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, batch (None) first; of a built layer."""
        if self.input_shape is None:
            raise StateError("a built layer", "one that has not seen an input shape", self.label)
        return self.compute_output_shape(self.input_shape)

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that training changes."""
        return [weight for weight in self.weights if weight.trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that the optimizer leaves alone."""
        return [weight for weight in self.weights if not weight.trainable]

    def get_weights(self) -> list[Array]:
        """Copies of the weights, in Keras' order."""
        return [weight.value.copy() for weight in self.weights]

    def set_weights(self, values: Sequence[Any]) -> None:
        """Replace the values of all weights.

        Raises:
            ShapeError: if their number or a shape differs; then nothing is changed.
        """
        arrays = [np.asarray(value) for value in values]
        shapes = [weight.shape for weight in self.weights]
        found = [array.shape for array in arrays]
        if shapes != found:
            raise ShapeError(f"weights of shapes {shapes}", f"{found}", self.label)
        for weight, array in zip(self.weights, arrays, strict=True):
            weight.value[...] = array

    def count_params(self, input_shape: Shape | None = None) -> int:
        """How many numbers its weights hold; with ``input_shape``, without being built."""
        if input_shape is not None:
            return sum(prod(spec.shape) for spec in self.weight_specs(input_shape))
        return sum(prod(weight.shape) for weight in self.weights)

    def work(self) -> float:
        """Roughly how many multiplications one sample costs; of a built layer."""
        positions = [size for size in self.output_shape[1:-1] if size is not None]
        return float(sum(weight.value.size for weight in self.weights) * prod(positions))

    def divides(self, batch: int) -> bool:
        """Whether it divides its work for such a batch among threads by itself; if built."""
        return False

    def serial_steps(self) -> int:
        """How many steps it takes one after the other, each a few short calls; of a built layer."""
        return 1

    def learn(self, cache: Any) -> None:
        """Take over what a training batch taught without a gradient."""
        for name, value in self.learned(cache).items():
            self[name][...] = value

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> Array:
        """The output for a batch, building the layer first where that is still to be done.

        Raises:
            DataError: if ``x`` is not an array of numbers.
            ShapeError: if the layer cannot take it, or was built for another shape.
        """
        x = as_numbers(x, self.label)
        if x.dtype.kind == "f" or not self.reads_integers:
            x = x.astype(self.dtype)
        shape = (None, *x.shape[1:])
        self.compute_output_shape(shape)
        if not self.built:
            self.build(shape)
        wanted = self.input_shape or shape
        if len(wanted) != x.ndim or any(
            size not in (None, found) for size, found in zip(wanted[1:], shape[1:], strict=True)
        ):
            raise ShapeError(shape_text(wanted), shape_text(shape), self.label)
        if mask is not None:
            mask = self._checked_mask(mask, x)
        moment = Moment(seed=default_seed() if training else 0, training=training)
        # Where an exponential gets too large for a number, infinity leads to the right result.
        with np.errstate(over="ignore"):
            return self.forward(x, Context(moment=moment, mask=mask))[0]

    def _checked_mask(self, mask: Any, x: Array) -> Array:
        found = as_numbers(mask, f"{self.label} mask").astype(bool)
        if found.ndim < 2 or found.shape != x.shape[: found.ndim]:
            raise ShapeError(f"a mask of {x.shape[:2]}", f"{found.shape}", self.label)
        return found


L = TypeVar("L", bound=type[Layer])
layers: Registry[Layer] = Registry("a layer", Layer, spelled=str)


def register() -> Callable[[L], L]:
    """Class decorator that enters a layer into the registry: palette, files, export, tests."""
    return layers.register()


def shape_text(shape: Sequence[int | None]) -> str:
    """A shape as people write it, without the batch: ``"28 × 28 × 1"``."""
    return " × ".join("?" if size is None else str(size) for size in shape[1:]) or "a number"


def known(size: int | None, layer: Layer, what: str) -> int:
    """The size, which must be known for the layer to have weights.

    Raises:
        ShapeError: if it is not.
    """
    if size is None:
        raise ShapeError(f"a known {what}", "one that varies", layer.label)
    return size


def is_left_out(activation: Activation, context: Context) -> bool:
    """Whether a layer's output is what comes before its activation."""
    return context.linear_output or isinstance(activation, Linear)


def activate(activation: Activation, z: Array, context: Context, do: Do) -> tuple[Array, Array]:
    """The activation's output, in place where it can be, and what :func:`deactivate` needs."""
    if is_left_out(activation, context):
        return z, z
    y = z
    if activation.saves != "output":
        y = context.workspace.array("activated", z.shape, z.dtype)
    activation.lay(z, y, do)
    return y, z


def deactivate(
    activation: Activation, dy: Array, kept: Array, context: Context, do: Do, space: Workspace
) -> Array:
    """The gradient before the activation, in memory from ``space``. ``dy`` is not changed."""
    if is_left_out(activation, context):
        return dy
    out = space.array("before", dy.shape, dy.dtype)
    activation.lay_back(dy, kept, out, context.scratch, do)
    return out
