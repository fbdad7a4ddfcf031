"""Activations that work on all numbers of a sample together."""

from __future__ import annotations

import numpy as np

from studio.engine.activations.base import Activation, activations
from studio.engine.workspace import Array


@activations.register()
class Softmax(Activation):
    """y = exp(z) / Σ exp(z) along the last axis, shifted by max(z), which does not overflow."""

    help = "Turns the numbers of each sample into probabilities; the usual output for classes."
    elementwise = False

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        np.exp(y, out=y)
        y /= y.sum(axis=-1, keepdims=True)
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        along = (dy * saved).sum(axis=-1, keepdims=True)
        dz = np.subtract(dy, along, out=out)
        dz *= saved
        return dz


@activations.register()
class LogSoftmax(Activation):
    """y = z - log Σ exp(z) along the last axis, shifted by max(z), which does not overflow."""

    help = "The logarithms of probabilities."
    elementwise = False

    def forward(self, z: Array, out: Array | None = None) -> Array:
        y = np.subtract(z, z.max(axis=-1, keepdims=True), out=out)
        y -= np.log(np.exp(y).sum(axis=-1, keepdims=True))
        return y

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        return np.subtract(dy, np.exp(saved) * dy.sum(axis=-1, keepdims=True), out=out)


@activations.register()
class Sparsemax(Activation):
    """The probabilities nearest to z, many of them exactly zero (Martins and Astudillo, 2016)."""

    help = "Probabilities of which many are exactly zero."
    elementwise = False

    def forward(self, z: Array, out: Array | None = None) -> Array:
        ordered = -np.sort(-z, axis=-1)
        sums = np.cumsum(ordered, axis=-1)
        places = np.arange(1, z.shape[-1] + 1, dtype=z.dtype)
        inside = 1 + places * ordered > sums
        count = inside.sum(axis=-1, keepdims=True)
        limit = (np.take_along_axis(sums, count - 1, axis=-1) - 1) / count.astype(z.dtype)
        return np.maximum(z - limit, 0, out=out)

    def backward(self, dy: Array, saved: Array, out: Array | None = None) -> Array:
        inside = saved > 0
        mean = (dy * inside).sum(axis=-1, keepdims=True) / inside.sum(axis=-1, keepdims=True)
        return np.multiply(dy - mean.astype(dy.dtype), inside, out=out)
