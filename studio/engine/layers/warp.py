"""Images with their pixels moved, and the way back of the gradient."""

from __future__ import annotations

import numpy as np

from studio.engine.workspace import Array

Cache = tuple[tuple[int, ...], list[tuple[Array, Array, Array]]]


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
    batch, height, width, _ = x.shape
    rows, columns = np.mgrid[0:height, 0:width]
    grid = np.stack([rows, columns, np.ones_like(rows)]).reshape(3, -1).astype(np.float64)
    places = (matrices @ grid).reshape(batch, 2, height, width)
    if interpolation == "nearest":
        corners = [(np.rint(places[:, 0]), np.rint(places[:, 1]), np.ones(places[:, 0].shape))]
    else:
        low = np.floor(places)
        share = places - low
        weights = (1 - share, share)
        corners = [
            (low[:, 0] + down, low[:, 1] + right, weights[down][:, 0] * weights[right][:, 1])
            for down in (0, 1)
            for right in (0, 1)
        ]
    samples = np.arange(int(batch))[:, None, None]
    y = np.zeros_like(x)
    taken: list[tuple[Array, Array, Array]] = []
    for row, column, weight in corners:
        outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
        r, c = _inside(row, height, fill_mode), _inside(column, width, fill_mode)
        w = weight[..., None].astype(x.dtype)
        if fill_mode == "constant":
            y += np.where(outside[..., None], x.dtype.type(fill_value), x[samples, r, c]) * w
            w = w * ~outside[..., None]
        else:
            y += x[samples, r, c] * w
        taken.append((r, c, w))
    return y, (x.shape, taken)


def spread_back(dy: Array, cache: Cache) -> Array:
    """The gradient of the input of :func:`warp`."""
    shape, taken = cache
    dx = np.zeros(shape, dy.dtype)
    samples = np.broadcast_to(np.arange(shape[0])[:, None, None], dy.shape[:3])
    for row, column, weight in taken:
        np.add.at(dx, (samples, row, column), dy * weight)
    return dx


def _inside(index: Array, size: int, fill_mode: str) -> Array:
    """Indices brought back into the image."""
    found: Array = index.astype(np.int64)
    if fill_mode == "reflect":
        found = found % (2 * size)
        return np.where(found >= size, 2 * size - 1 - found, found)
    if fill_mode == "wrap":
        return found % size
    return np.clip(found, 0, size - 1)
