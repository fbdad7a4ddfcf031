"""What a layer does in every step, laid out once as a list of calls.

To cut a batch into pieces and make views of them keeps Python busy, which only one thread at a time
can be: the others wait for it. Arrays mostly stay where they are from step to step, so the calls of
NumPy on these views are kept instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


class Do(Protocol):
    """Has a function called, at once or in every step."""

    def __call__(self, function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
        """Have it called with these arguments."""
        ...


def at_once(function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
    """Call it now, and only now."""
    function(*arguments, **named)


class Plan:
    """Calls in their order, the array that they read, and what they lead to.

    Args:
        source: what the calls read besides what never moves.
        fixed: arrays that do not move, such as weights.
        copies: whether ``source`` is a copy, as what it was made for lies elsewhere in every step.
    """

    __slots__ = ("calls", "copies", "fixed", "result", "source")

    def __init__(self, source: Array, fixed: Sequence[Array], copies: bool = False) -> None:
        self.calls: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = []
        self.source = source
        self.fixed = fixed
        self.copies = copies
        self.result: Any = None

    def __call__(self, function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
        """Have a function called in every step."""
        self.calls.append((function, arguments, named))

    def reads(self, array: Array) -> bool:
        """Whether its calls can work with this array in place of that which it was made for."""
        return self.copies or self.source is array or _same(self.source, array)

    def run(self, array: Array) -> Any:
        """Do it all; returns what was laid down as its result."""
        if self.copies:
            np.copyto(self.source, array)
        for function, arguments, named in self.calls:
            function(*arguments, **named)
        return self.result


def _same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same numbers in the same memory."""
    return (
        a.shape == b.shape
        and a.strides == b.strides
        and a.dtype == b.dtype
        and a.__array_interface__["data"] == b.__array_interface__["data"]
    )
