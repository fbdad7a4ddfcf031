"""Sliding windows over one to three spatial dimensions: what convolution and pooling share."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from studio.engine.errors import ParameterError, ShapeError
from studio.engine.layers.base import Layer, shape_text
from studio.engine.plan import Do
from studio.engine.workspace import Array, Shape, Workspace

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]
Index = tuple[slice, ...]
Positions = tuple[tuple[Sizes, Index], ...]

# What follows from shapes alone is the same in every step: it is computed once.
cache = lru_cache(maxsize=1024)


@cache
def output_lengths(
    lengths: Shape, sizes: Sizes, strides: Sizes, padding: str, dilations: Sizes
) -> Shape:
    """How many windows fit along each dimension (Keras' rule for valid, same and causal)."""
    found: list[int | None] = []
    for length, size, stride, dilation in zip(lengths, sizes, strides, dilations, strict=True):
        if length is None:
            found.append(None)
        elif padding in ("same", "causal"):
            found.append(-(-length // stride))
        else:
            found.append((length - (size - 1) * dilation - 1) // stride + 1)
    return tuple(found)


def check_windows(layer: Layer, input_shape: Shape, lengths: Shape) -> None:
    """Check that at least one window fits along each dimension.

    Raises:
        ShapeError: if the input is smaller than one window.
    """
    if any(length is not None and length < 1 for length in lengths):
        raise ShapeError(
            "an input at least as large as the window",
            shape_text(input_shape),
            layer.label,
            "Make the window smaller, set padding to 'same', or remove a pooling block before it.",
        )


def check_steps(layer: Layer, strides: Sizes, dilations: Sizes) -> None:
    """Check that windows are not both strided and dilated, which Keras refuses too.

    Raises:
        ParameterError: if they are.
    """
    if max(strides) > 1 and max(dilations) > 1:
        raise ParameterError(
            f"dilation_rate 1 where strides are {strides}",
            f"{dilations}",
            f"{layer.label} dilation_rate",
            "Set the strides or the dilation to 1.",
        )


@cache
def pads(lengths: Sizes, sizes: Sizes, strides: Sizes, padding: str, dilations: Sizes) -> Pads:
    """How many zeros go before and after each spatial dimension."""
    result: list[tuple[int, int]] = []
    for length, size, stride, dilation in zip(lengths, sizes, strides, dilations, strict=True):
        span = (size - 1) * dilation + 1
        if padding == "valid":
            result.append((0, 0))
        elif padding == "causal":
            result.append((span - 1, 0))
        else:
            total = max((-(-length // stride) - 1) * stride + span - length, 0)
            result.append((total // 2, total - total // 2))
    return tuple(result)


def batches(samples: int, size: int) -> list[slice]:
    """About ``size`` samples at a time, at least one: few enough to stay in the cache.

    If need be up to a third more or a fourth fewer, so that there are as many each time.
    """
    size = max(1, size)
    for even in range(4 * size // 3, (3 * size - 1) // 4, -1):
        if samples % even == 0:
            size = even
            break
    else:
        size = -(-samples // -(-samples // size))
    return [slice(start, start + size) for start in range(0, samples, size)]


def pad(x: Array, amounts: Pads, value: Any, space: Workspace, name: str, do: Do) -> Array:
    """``x`` (batch, …spatial, channels) with ``value`` around its spatial dimensions."""
    if not any(before or after for before, after in amounts):
        return x
    whole = space.array(name, padded(x.shape, amounts), x.dtype)
    frame(whole, amounts, value, do)
    do(np.copyto, whole[inner(x.shape[1:-1], amounts)], x)
    return whole


def frame(whole: Array, amounts: Pads, value: Any, do: Do) -> None:
    """Fill what a padded array has around its spatial dimensions."""
    inside: tuple[slice, ...] = (slice(None),)
    for length, (before, after) in zip(whole.shape[1:-1], amounts, strict=True):
        for edge in (slice(0, before), slice(length - after, length)):
            if edge.start < edge.stop:
                do(whole[(*inside, edge)].fill, value)
        inside = (*inside, slice(before, length - after))


@cache
def padded(shape: Sizes, amounts: Pads) -> Sizes:
    """The shape (batch, …spatial, channels) with so much around its spatial dimensions."""
    spatial = (n + b + a for n, (b, a) in zip(shape[1:-1], amounts, strict=True))
    return (shape[0], *spatial, shape[-1])


@cache
def inner(lengths: Sizes, amounts: Pads) -> Index:
    """The index of the unpadded part of a padded array."""
    return (
        slice(None),
        *(slice(b, b + n) for n, (b, _) in zip(lengths, amounts, strict=True)),
    )


def windows(x: Array, sizes: Sizes, strides: Sizes, dilations: Sizes) -> Array:
    """A view of all windows, to be read: (batch, …positions, …window, channels)."""
    shape, steps = _layout(x.shape, x.strides, sizes, strides, dilations)
    if x.flags.c_contiguous:
        # The same view in a tenth of the time.
        return np.ndarray(shape, x.dtype, x, 0, steps)
    return np.lib.stride_tricks.as_strided(x, shape, steps, writeable=False)


@cache
def _layout(
    shape: Sizes, steps: Sizes, sizes: Sizes, strides: Sizes, dilations: Sizes
) -> tuple[Sizes, Sizes]:
    """The shape of the view of all windows, and its strides in bytes."""
    spatial = steps[1:-1]
    counts = tuple(
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(shape[1:-1], sizes, strides, dilations, strict=True)
    )
    return (
        (shape[0], *counts, *sizes, shape[-1]),
        (
            steps[0],
            *(step * s for step, s in zip(spatial, strides, strict=True)),
            *(step * d for step, d in zip(spatial, dilations, strict=True)),
            steps[-1],
        ),
    )


@cache
def positions(sizes: Sizes, strides: Sizes, dilations: Sizes, counts: Sizes) -> Positions:
    """For each offset in a window, the input slice that it meets over all windows."""
    found: list[tuple[Sizes, Index]] = []
    for offset in product(*(range(size) for size in sizes)):
        where = tuple(
            slice(o * d, o * d + (n - 1) * s + 1, s)
            for o, d, n, s in zip(offset, dilations, counts, strides, strict=True)
        )
        found.append((offset, (slice(None), *where)))
    return tuple(found)


@cache
def line(axis: int, count: int, size: int, stride: int) -> tuple[Index, ...]:
    """For each place in a window of one dimension, what it meets over all ``count`` windows."""
    before = (slice(None),) * axis
    return tuple(
        (*before, slice(place, place + (count - 1) * stride + 1, stride)) for place in range(size)
    )
