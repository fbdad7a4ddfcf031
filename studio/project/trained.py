"""What training leaves: the weights, the curves and a report, with the project they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.engine.workspace import Array
from studio.project.values import Config, Project


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained project. It stays what it was while the project in the window is edited further.

    Args:
        project: as it was trained; the weights are those of its blocks.
        weights: the arrays by name, ``"conv2d/kernel"``, in the order of the stack.
        history: columns of equal length by name, one row per epoch: ``"epoch"``, ``"loss"`` …;
            NaN where an epoch has no value.
        report: facts about the run, as JSON can hold them.
    """

    project: Project
    weights: Mapping[str, Array]
    history: Mapping[str, Array]
    report: Mapping[str, Any]

    def __post_init__(self) -> None:
        weights = {name: _own(value) for name, value in self.weights.items()}
        history = {name: _own(np.asarray(v, np.float64)) for name, v in self.history.items()}
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "history", history)
        object.__setattr__(self, "report", Config(self.report))

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the recorded figures, ``"loss"`` first; each may have a ``"val_"`` twin."""
        return tuple(
            name for name in self.history if name != "epoch" and not name.startswith("val_")
        )

    def describes(self, project: Project) -> bool:
        """Whether the weights are those of that project: neither blocks nor data have changed."""
        return project.blocks == self.project.blocks and project.data == self.project.data


def _own(value: Array) -> Array:
    """A copy that nothing can change."""
    copy = np.array(value)
    copy.flags.writeable = False
    return copy
