"""Brings numbers to the size that networks learn well from, and back.

Whatever is fitted is fitted to the training part alone: had it seen the validation part, the
validation would no longer say how the network does on data that it has never seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from studio.engine.errors import FormatError
from studio.engine.workspace import Array


@dataclass(frozen=True)
class Scaling:
    """``(values - mean) / scale`` for each column of the last axis or, with one number, for all."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def standard(cls, values: Array) -> Scaling:
        """Gives each column the mean 0 and the standard deviation 1; a constant one becomes 0.

        Args:
            values: the training part, shape (samples, columns).
        """
        values = values.astype(np.float64)
        deviation = values.std(axis=0)
        deviation[(np.ptp(values, axis=0) == 0) | (deviation == 0)] = 1
        return cls(tuple(values.mean(axis=0).tolist()), tuple(deviation.tolist()))

    def apply(self, values: Array) -> Array:
        """The scaled values, float32 and a copy."""
        scaled = np.subtract(values, self.mean, dtype=np.float64)
        scaled /= self.scale
        return scaled.astype(np.float32)

    def undo(self, values: Array) -> Array:
        """The values in their own unit again, float64."""
        return np.multiply(values, self.scale, dtype=np.float64) + self.mean


@dataclass(frozen=True)
class Preprocessing:
    """What is done to data before a network sees them, and so also to new data for a prediction.

    Args:
        inputs: for the features.
        targets: for the targets of a regression, undone in predictions; None for classes.
    """

    inputs: Scaling
    targets: Scaling | None = None

    def get_config(self) -> dict[str, Any]:
        """It as JSON can hold it; ``from_config`` makes an equal value of that."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: str = "preprocessing") -> Preprocessing:
        """A value from what ``get_config`` returned.

        Raises:
            FormatError: if it is something else.
        """
        try:
            inputs, targets = config["inputs"], config["targets"]
            return cls(_scaling(inputs), None if targets is None else _scaling(targets))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("mean and scale of inputs and targets", str(error), where) from None


def _scaling(config: Mapping[str, Any]) -> Scaling:
    mean, scale = (tuple(float(number) for number in config[key]) for key in ("mean", "scale"))
    if len(mean) != len(scale) or not mean or not np.isfinite(mean + scale).all() or 0.0 in scale:
        raise ValueError(f"mean {str(mean)[:40]}, scale {str(scale)[:40]}")
    return Scaling(mean, scale)
