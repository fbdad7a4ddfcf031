"""What may be asked of ``fit``, ``evaluate`` and ``compile``, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from studio.engine.callbacks import Callback
from studio.engine.errors import ParameterError
from studio.engine.metrics import Metric, named
from studio.engine.params import Boolean, Integer, Param, Real

SOME = Integer(minimum=1, optional=True)
"""A number of samples or batches, or None."""
ARGUMENTS: dict[str, Param[Any]] = {
    "batch_size": SOME,
    "steps_per_epoch": SOME,
    "validation_steps": SOME,
    "validation_batch_size": SOME,
    "epochs": Integer(minimum=1),
    "initial_epoch": Integer(minimum=0),
    "validation_split": Real(minimum=0, below=1),
    "shuffle": Boolean(),
}
"""What may be asked of ``fit``."""


@dataclass(frozen=True)
class FitPlan:
    """The arguments of ``fit`` besides the data, checked.

    Raises:
        ParameterError: if one is out of bounds.
    """

    batch_size: int | None
    epochs: int
    verbose: Any
    callbacks: tuple[Callback, ...]
    validation_split: float
    validation_data: Any
    shuffle: bool
    class_weight: Mapping[int, float] | None
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: int | Sequence[int]

    def __post_init__(self) -> None:
        for name, param in ARGUMENTS.items():
            param.checked(getattr(self, name), f"fit {name}")
        often = self.validation_freq
        for each in often if isinstance(often, list | tuple) else [often]:
            Integer(minimum=1).checked(each, "fit validation_freq")

    def validates(self, epoch: int) -> bool:
        """Whether there is a validation after that epoch, counted from 0."""
        often = self.validation_freq
        return epoch + 1 in often if isinstance(often, Sequence) else (epoch + 1) % often == 0


def checked_callbacks(
    chosen: Callback | Sequence[Callback] | None, where: str
) -> tuple[Callback, ...]:
    """The callbacks.

    Raises:
        ParameterError: if it is not one, nor a list of callbacks.
    """
    found: Any = [chosen] if isinstance(chosen, Callback) else () if chosen is None else chosen
    is_list = isinstance(found, list | tuple)
    items = cast("list[Any]", list(found) if is_list else [])  # pyright: ignore[reportUnknownArgumentType]
    if not is_list or not all(isinstance(item, Callback) for item in items):
        raise ParameterError("a list of callbacks", repr(found)[:80], f"{where} callbacks")  # pyright: ignore[reportUnknownArgumentType]
    return tuple(items)


def checked_metrics(chosen: Sequence[Any] | None) -> list[Metric | str]:
    """Metrics from names and objects; ``"accuracy"`` waits for the targets.

    Raises:
        UnknownNameError: if a name is not known.
        ParameterError: if it is not a list.
    """
    if chosen is not None and not isinstance(chosen, list | tuple):
        raise ParameterError("a list of metrics", repr(chosen)[:80], "compile metrics")
    return [named(item) for item in chosen or ()]
