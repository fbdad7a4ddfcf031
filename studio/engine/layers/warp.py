"""Images with their pixels moved, and the way back of the gradient.

A pixel of the output lies between two rows and two columns of the input. Which rows, and how much
each counts, follows from one coordinate of the place, and the columns from the other. The four
pixels are then looked up channel by channel, each of which is one run of memory for some samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from studio.engine.layers.windows import batches
from studio.engine.workspace import Array

Ends = list[tuple[Array, Array]]
"""Along one axis the indices of the pixels around each place, and how much each counts."""
Cache = list[tuple[slice, Ends, Ends]]
"""Of some samples at a time the pixels around their places, down and across."""
PIXELS = 1 << 14
"""So many are looked up at a time, that what is known of them stays in the cache."""


def warp(
    x: Array, matrices: Array, fill_mode: str, interpolation: str, fill_value: float
) -> tuple[Array, Cache]:
    """Look up each pixel of the output in the input.

    Args:
        x: (batch, height, width, channels).
        matrices: (batch, 2, 3), from (row, column, 1) of the output to the place in the input.
        fill_mode: what is outside: a mirror, a repetition, a number, or the edge.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: the number for ``fill_mode="constant"``.

    Returns:
        The images, and what :func:`spread_back` needs.
    """
    _, height, width, channels = x.shape
    rows, columns = np.mgrid[0:height, 0:width]
    grid = np.stack([rows, columns, np.ones_like(rows)]).reshape(3, -1).astype(np.float64)
    y, around = np.empty(x.shape, x.dtype), list[tuple[slice, Ends, Ends]]()
    for samples in batches(len(x), PIXELS // (height * width)):
        places = matrices[samples] @ grid
        down = _ends(places[:, 0], height, fill_mode, interpolation, x.dtype)
        across = _ends(places[:, 1], width, fill_mode, interpolation, x.dtype)
        planes = _planes(x[samples])
        found, counted = np.zeros_like(planes), np.zeros(planes.shape[1:], x.dtype)
        for index, weight in _corners(down, across, height, width):
            taken = planes.take(index, axis=1)
            taken *= weight
            found += taken
            counted += weight
        if fill_mode == "constant" and fill_value:
            found += (1 - counted) * x.dtype.type(fill_value)
        y[samples] = np.moveaxis(found.reshape(channels, -1, height, width), 0, -1)
        around.append((samples, down, across))
    return y, around


def spread_back(dy: Array, around: Cache) -> Array:
    """The gradient of the input of :func:`warp`."""
    _, height, width, channels = dy.shape
    dx = np.empty(dy.shape, dy.dtype)
    for samples, down, across in around:
        arriving = _planes(dy[samples])
        planes = np.zeros_like(arriving)
        for index, weight in _corners(down, across, height, width):
            for plane, part in zip(planes, arriving * weight, strict=True):
                np.add.at(plane, index, part)
        dx[samples] = np.moveaxis(planes.reshape(channels, -1, height, width), 0, -1)
    return dx


def _planes(x: Array) -> Array:
    """(batch, height, width, channels) as (channels, pixels)."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 0)).reshape(x.shape[-1], -1)


def _ends(
    places: Array, size: int, fill_mode: str, interpolation: str, dtype: np.dtype[Any]
) -> Ends:
    """The pixels around places along an axis of that size, (batch, pixels) each."""
    around: Ends
    if interpolation == "nearest":
        around = [(np.rint(places).astype(np.int64), np.ones(places.shape, dtype))]
    else:
        low = np.floor(places)
        share: Array = (places - low).astype(dtype)
        index = low.astype(np.int64)
        around = [(index, 1 - share), (index + 1, share)]
    for index, weight in around:
        outside = (index < 0) | (index >= size)
        if fill_mode == "constant":
            weight[outside] = 0
        index[outside] = _inside(index[outside], size, fill_mode)
    return around


def _corners(down: Ends, across: Ends, height: int, width: int) -> Iterator[tuple[Array, Array]]:
    """For each pixel around a place its index among all pixels, and how much it counts."""
    first = np.arange(len(down[0][0]))[:, None] * height
    for row, by_row in down:
        line = (first + row) * width
        for column, by_column in across:
            index = line + column
            yield index.reshape(-1), (by_row * by_column).reshape(-1)


def _inside(index: Array, size: int, fill_mode: str) -> Array:
    """Indices brought back into the image."""
    if fill_mode == "reflect":
        index = index % (2 * size)
        return np.where(index >= size, 2 * size - 1 - index, index)
    if fill_mode == "wrap":
        return index % size
    return np.clip(index, 0, size - 1)
