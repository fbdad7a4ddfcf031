"""What ``fit``, ``evaluate`` and ``predict`` accept as data, checked and cut into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, cast, overload

import numpy as np

from studio.engine.arrays import as_array
from studio.engine.errors import DataError, ShapeError
from studio.engine.layers.base import shape_text
from studio.engine.losses import Loss
from studio.engine.params import Integer, Real
from studio.engine.workspace import Array, Shape, Workspace

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential

BatchMaker = Callable[[int, np.random.Generator | None], Iterator["Batch"]]

MAX_CLASS = 1_000_000
"""The largest class number that may have a weight."""
SHUFFLE_WHOLE = 1 << 20
"""Data up to this many bytes are shuffled as a whole once per epoch; larger ones batch by batch."""


class Batch(NamedTuple):
    """Inputs, and where they were given targets and sample weights."""

    x: Array
    y: Array | None = None
    weight: Array | None = None

    @property
    def targets(self) -> Array:
        """The targets, which a batch for training or evaluation has."""
        assert self.y is not None
        return self.y


@dataclass(frozen=True)
class Arrays:
    """Data as arrays, one row per sample."""

    x: Array
    y: Array | None = None
    weight: Array | None = None
    space: Workspace = field(default_factory=Workspace, repr=False, compare=False)

    @classmethod
    def checked(
        cls, x: Any, y: Any, weight: Any, dtype: str, where: str, keep_integers: bool = False
    ) -> Arrays:
        """Arrays of equal length, of ``dtype`` except for whole numbers in x where they are kept.

        Raises:
            DataError: if they are empty, of different lengths, or not numbers.
        """
        inputs = as_array(x, f"{where} x", dtype, keep_integers)
        targets = None if y is None else as_array(y, f"{where} y", dtype)
        weights = None if weight is None else as_array(weight, f"{where} sample_weight", dtype)
        if inputs.ndim == 0 or inputs.size == 0:
            found = "a single number" if inputs.ndim == 0 else f"shape {inputs.shape}"
            raise DataError("at least one sample", found, f"{where} x")
        for name, array in (("y", targets), ("sample_weight", weights)):
            if array is not None and (array.ndim == 0 or len(array) != len(inputs)):
                found = "a single number" if array.ndim == 0 else f"{len(array)}"
                raise DataError(f"as many rows as x has ({len(inputs)})", found, f"{where} {name}")
        return cls(inputs, targets, weights)

    def __len__(self) -> int:
        return len(self.x)

    def part(self, rows: Any) -> Arrays:
        """Some of the rows."""
        return Arrays(*self._columns(rows))

    def _columns(self, rows: Any) -> tuple[Array, Array | None, Array | None]:
        return _rows(self.x, rows), _rows(self.y, rows), _rows(self.weight, rows)

    def split(self, share: float) -> tuple[Arrays, Arrays]:
        """The first rows, and the last ``share`` of them: Keras' validation_split.

        Raises:
            DataError: if one of the two would be empty.
        """
        cut = split_at(len(self), share)
        if cut in (0, len(self)):
            raise DataError(
                "rows on both sides of the split", f"{len(self)} rows, validation_split={share}"
            )
        return self.part(slice(0, cut)), self.part(slice(cut, None))

    def weighted(self, by_class: Mapping[int, float] | None, rank: int) -> Arrays:
        """With the weight of each target's class, where there are such weights.

        Args:
            by_class: the weights.
            rank: how many dimensions the output has; one-hot targets have as many.

        Raises:
            DataError: if a key is no class number, a weight no number, or targets are no classes.
        """
        if by_class is None or self.y is None:
            return self
        return Arrays(self.x, self.y, class_weights(self.y, by_class, rank, self.weight))

    def batches(self, size: int, random: np.random.Generator | None = None) -> Iterator[Batch]:
        """The rows in batches, the last one perhaps smaller; shuffled where there is a stream.

        The inputs of a batch may lie where those of the one before lay.
        """
        order = None if random is None else random.permutation(len(self))
        if order is None or self.x.nbytes <= SHUFFLE_WHOLE:
            x, y, weight = (self.x, self.y, self.weight) if order is None else self._columns(order)
            for start in range(0, len(self), size):
                rows = slice(start, start + size)
                yield Batch(
                    x[rows],
                    None if y is None else y[rows],
                    None if weight is None else weight[rows],
                )
            return
        for start in range(0, len(self), size):
            rows = order[start : start + size]
            inputs = self.space.array("inputs", (len(rows), *self.x.shape[1:]), self.x.dtype)
            # Any other mode would write into a copy first; these rows are all there.
            self.x.take(rows, axis=0, out=inputs, mode="clip")
            yield Batch(inputs, _rows(self.y, rows), _rows(self.weight, rows))


@overload
def _rows(array: Array, rows: Any) -> Array: ...
@overload
def _rows(array: None, rows: Any) -> None: ...
def _rows(array: Array | None, rows: Any) -> Array | None:
    if array is None or isinstance(rows, slice):
        return None if array is None else array[rows]
    # Faster than an index.
    return array.take(rows, axis=0)


def split_at(rows: int, share: float) -> int:
    """How many of so many rows come before the last ``share`` of them."""
    return int(rows * (1 - share))


def is_arrays(x: Any) -> bool:
    """Whether ``x`` is one array for all samples, not batches that come one after another."""
    return hasattr(x, "__array__") or (
        isinstance(x, list | tuple) and not (x and isinstance(x[0], tuple))  # pyright: ignore[reportUnknownArgumentType]
    )


def batch_maker(
    model: Sequential,
    loss: Loss | None,
    x: Any,
    y: Any,
    weight: Any,
    where: str,
    by_class: Mapping[int, float] | None = None,
) -> BatchMaker:
    """A function of (batch size, random stream or None) that gives the checked batches of one pass.

    Raises:
        DataError, ShapeError: if the data do not fit the model or each other.
    """
    if is_arrays(x):
        return checked_arrays(model, loss, x, y, weight, where, by_class).batches
    if not isinstance(x, Iterable):
        raise DataError("an array, or an iterable of batches", type(x).__name__, f"{where} x")
    if y is not None or weight is not None:
        raise DataError("targets and weights within the batches", "some beside them", where)
    if not model.built:
        x = _build_for_first(model, x, where)  # pyright: ignore[reportUnknownArgumentType]

    def batches(size: int, random: np.random.Generator | None) -> Iterator[Batch]:
        for number, item in enumerate(x):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            parts: tuple[Any, ...] = item if isinstance(item, tuple) else (item,)  # pyright: ignore[reportUnknownVariableType]
            if not 1 <= len(parts) <= 3:
                raise DataError("x, (x, y) or (x, y, sample_weight)", f"{len(parts)} parts", where)
            bx, by, bw = (*parts, None, None)[:3]
            place = f"{where} batch {number}"
            arrays = checked_arrays(model, loss, bx, by, bw, place, by_class)
            # The next batch may be written into the same memory, before metrics have seen this one.
            y, weight = (
                None if each is None else each.copy() for each in (arrays.y, arrays.weight)
            )
            yield Batch(arrays.x, y, weight)

    return batches


def _build_for_first(model: Sequential, source: Iterable[Any], where: str) -> Iterable[Any]:
    """Build the model for the first batch; return all batches, which may come only once."""
    batches: Iterator[Any] = iter(source)
    for first in batches:
        x: Any = first
        if isinstance(first, tuple):
            x = cast("tuple[Any, ...]", (*first, None))[0]
        checked_arrays(model, None, x, None, None, f"{where} batch 0")
        return chain([cast("Any", first)], batches) if batches is source else source
    raise DataError("at least one batch", "none", where)


def checked_arrays(
    model: Sequential,
    loss: Loss | None,
    x: Any,
    y: Any,
    weight: Any,
    where: str,
    by_class: Mapping[int, float] | None = None,
) -> Arrays:
    """Arrays that fit the model, which is built for them where it has not seen a shape yet.

    Raises:
        DataError, ShapeError: if they do not fit the model or each other.
    """
    first = model.layers[0] if model.layers else None
    dtype, integers = (first.dtype, first.reads_integers) if first else ("float32", False)
    data = Arrays.checked(x, y, weight, dtype, where, integers)
    inputs = data.x[:, None] if data.x.ndim == 1 else data.x
    if not model.built:
        model.build(model.input_shape or (None, *inputs.shape[1:]))
    expected = model.input_shape or (None,)
    # Keras' rule: a last dimension of one may be left out, or be one too many.
    if inputs.ndim == len(expected) - 1 and expected[-1] == 1:
        inputs = inputs[..., None]
    elif inputs.ndim == len(expected) + 1 and inputs.shape[-1] == 1:
        inputs = inputs[..., 0]
    fits = len(expected) == inputs.ndim and all(
        size is None or size == found
        for size, found in zip(expected[1:], inputs.shape[1:], strict=True)
    )
    if not fits:
        wanted, found = shape_text(expected), shape_text(inputs.shape)
        raise ShapeError(f"samples of shape {wanted}", found, f"{where} x")
    if None in expected[1:]:
        # Sizes that vary can be too small for a window.
        model.compute_output_shape((None, *inputs.shape[1:]))
    if loss is None:
        return Arrays(inputs)
    if data.y is None:
        raise DataError("targets", "none", f"{where} y")
    output = model.output_shape
    targets = loss.fitted(data.y, output, f"{where} y")
    weights = None if data.weight is None else fitted_weights(data.weight, output, where)
    return Arrays(inputs, targets, weights).weighted(by_class, len(output))


def fitted_weights(weights: Array, output: Shape, where: str) -> Array:
    """Sample weights in the shape of the losses: one per sample, or per sample and time step.

    Raises:
        ShapeError: if they fit neither.
    """
    given = weights[..., 0] if weights.ndim > 1 and weights.shape[-1] == 1 else weights
    steps = output[1:-1]
    fits = given.ndim - 1 <= len(steps) and all(
        size is None or size == found for size, found in zip(steps, given.shape[1:], strict=False)
    )
    if not fits:
        found = f"shape {weights.shape}"
        raise ShapeError("one weight per sample", found, f"{where} sample_weight")
    return given


def class_weights(
    y: Array, weights: Mapping[int, float], rank: int, current: Array | None
) -> Array:
    """Sample weights that give each class its weight.

    Raises:
        DataError: if a key is no class number, a weight no number, or the targets are no classes.
    """
    if not isinstance(weights, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DataError("a weight for each class number", type(weights).__name__, "class_weight")
    for label, weight in weights.items():
        Integer(minimum=0, maximum=MAX_CLASS).checked(label, "class_weight key")
        Real(minimum=0).checked(weight, "class_weight")
    if y.ndim == rank and y.shape[-1] > 1:
        numbers = y.argmax(axis=-1)
    else:
        numbers = (y[..., 0] if y.ndim > 1 and y.shape[-1] == 1 else y).astype(int)
    if numbers.ndim != 1 or numbers.min() < 0 or numbers.max() > MAX_CLASS:
        found = f"targets of shape {y.shape}"
        raise DataError("one class number per sample", found, "class_weight")
    table = np.ones(max([int(numbers.max()), *weights]) + 1, dtype=y.dtype)
    for label, weight in weights.items():
        table[label] = weight
    chosen = table[numbers]
    return chosen if current is None else current * chosen
