"""A model as a table."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from studio.engine.layers.base import Weight, shape_text

if TYPE_CHECKING:
    from studio.engine.sequential import Sequential


def summary(model: Sequential, show_trainable: bool = False) -> str:
    """Name and class, output shape and number of parameters of each layer, and the sums."""
    rows = [("Layer (type)", "Output shape", "Param #", "Trainable")]
    shape = model.input_shape
    for layer in model.layers:
        shape = None if shape is None else layer.compute_output_shape(shape)
        rows.append(
            (
                f"{layer.name} ({type(layer).__name__})",
                "?" if shape is None else shape_text(shape),
                f"{layer.count_params():,}" if layer.built else "not built",
                ("yes" if layer.trainable else "no") if layer.weights else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"Model: {model.name}"]
    for a, b, c, d in rows:
        line = f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}"
        lines.append(f"{line}  {d:>{widths[3]}}" if show_trainable else line)
    lines.append(f"Total params: {_total(model.weights)}")
    lines.append(f"Trainable params: {_total(model.trainable_weights)}")
    lines.append(f"Non-trainable params: {_total(model.non_trainable_weights)}")
    return "\n".join(lines)


def _total(weights: list[Weight]) -> str:
    count = sum(prod(weight.shape) for weight in weights)
    size: float = sum(weight.value.nbytes for weight in weights)
    unit = "B"
    for larger in ("KB", "MB", "GB"):
        if size >= 1024:
            size, unit = size / 1024, larger
    return f"{count:,} ({size:.2f} {unit})"
