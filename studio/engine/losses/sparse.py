"""The cross-entropy of class numbers."""

from __future__ import annotations

import numpy as np

from studio.engine.activations import Softmax
from studio.engine.errors import ShapeError
from studio.engine.losses.base import aligned, check_each, losses
from studio.engine.losses.crossentropy import (
    FromLogits,
    lay_log_softmax,
    log_shares,
    through_shares,
)
from studio.engine.params import Integer
from studio.engine.plan import Do, as_arrays, at_once
from studio.engine.workspace import Array, Shape, Workspace

ADVICE = "One output per class, numbered from 0; categorical crossentropy takes one-hot targets."


@losses.register()
class SparseCategoricalCrossentropy(FromLogits):
    """-log p of the true class, p normalised; of logits z: -log_softmax(z) of the true class.

    Targets are class numbers, ``(batch, …)`` for predictions of ``(batch, …, classes)``. Samples of
    the class ``ignore_class`` do not count.
    """

    activation = Softmax
    help = "For several classes as numbers, one output each with softmax."

    from_logits = FromLogits.params["from_logits"]
    ignore_class = Integer(None, optional=True, advanced=True, help="A class that does not count.")
    reduction = FromLogits.params["reduction"]
    axis = Integer(-1, minimum=-1, maximum=-1, advanced=True,
                   help="Where the classes are; only the last axis is known here.")  # fmt: skip

    def fitted(self, y: Array, output_shape: Shape, where: str) -> Array:
        expected = output_shape[:-1]
        y = aligned(y, len(expected), False)
        sizes = zip(expected, y.shape, strict=False)
        if y.ndim != len(expected) or any(size not in (None, found) for size, found in sizes):
            wanted = " × ".join(map(str, expected[1:])) + " class numbers" if expected[1:] else ""
            raise ShapeError(
                f"{wanted or 'one class number'} per sample",
                " × ".join(map(str, y.shape[1:])) or "one number", where, ADVICE,
            )  # fmt: skip
        classes = output_shape[-1]
        good = (y >= 0) & (y == np.floor(y)) & (classes is None or y < classes)
        if self.ignore_class is not None:  # pyright: ignore[reportUnnecessaryComparison]
            good |= y == self.ignore_class
        what = "class numbers" if classes is None else f"class numbers from 0 to {classes - 1}"
        check_each(y, good, what, where, ADVICE)
        return y

    @property
    def makes_mask(self) -> bool:
        return self.ignore_class is not None  # pyright: ignore[reportUnnecessaryComparison]

    def mask(self, y: Array) -> Array | None:
        return y != self.ignore_class if self.makes_mask else None

    def values(self, y: Array, p: Array) -> Array:
        logs = log_shares(p, self.from_logits)
        return -np.take_along_axis(logs, self._labels(y), -1)[..., 0]

    def gradient(self, y: Array, p: Array) -> Array:
        return self.values_and_gradient(y, p)[1]

    def values_and_gradient(self, y: Array, p: Array) -> tuple[Array, Array]:
        if self.from_logits:
            return self.lay(y, p, Workspace(), at_once)
        logs, labels = log_shares(p, from_logits=False), self._labels(y)
        true = np.take_along_axis(logs, labels, -1)
        gradient = np.zeros_like(p)
        np.put_along_axis(gradient, labels, -np.exp(-true), -1)
        return -true[..., 0], through_shares(gradient, p)

    def lay(self, y: Array, p: Array, space: Workspace, do: Do) -> tuple[Array, Array]:
        if not self.from_logits:
            return super().lay(y, p, space, do)
        values = space.array("values", y.shape, p.dtype)
        slope = space.array("slope", y.shape, p.dtype)
        places = space.array("places", y.shape, np.intp)
        starts = np.arange(y.size).reshape(y.shape) * p.shape[-1]
        logs = lay_log_softmax(p, space, do)
        do(self._find_places, y, starts, places)
        # Any other mode would copy first; all places are there.
        do(logs.take, places, None, values, "clip")
        do(np.negative, values, out=values)
        # Of the values by p: softmax(p), less 1 for the true class.
        do(np.exp, logs, out=logs)
        do(logs.take, places, None, slope, "clip")
        do(np.subtract, slope, *as_arrays(1, dtype=p.dtype), out=slope)
        do(logs.put, places, slope)
        return values, logs

    def _find_places(self, y: Array, starts: Array, out: Array) -> None:
        """Where the true classes are among the numbers of all samples."""
        np.add(self._labels(y)[..., 0], starts, out=out)

    def _labels(self, y: Array) -> Array:
        """Class numbers as indices along the last axis; 0 for those that do not count."""
        counts = self.mask(y)
        return (y if counts is None else np.where(counts, y, 0)).astype(np.intp)[..., None]
