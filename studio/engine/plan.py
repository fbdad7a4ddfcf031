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
    """Calls in their order, the arrays that they read from outside, and what they lead to.

    Args:
        inputs: arrays that the calls read.
        fixed: further arrays that they read or write.
        copied: the positions of those that the plan has copies of, as they come from elsewhere in
            every step.
    """

    __slots__ = ("calls", "copied", "fixed", "inputs", "result")

    def __init__(
        self,
        inputs: Sequence[Array],
        fixed: Sequence[Array],
        copied: frozenset[int] = frozenset(),
    ) -> None:
        self.calls: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = []
        self.inputs = inputs
        self.fixed = fixed
        self.copied = copied
        self.result: Any = None

    def __call__(self, function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
        """Have a function called in every step."""
        self.calls.append((function, arguments, named))

    def moved(self, inputs: Sequence[Array]) -> frozenset[int]:
        """The positions of arrays that lie elsewhere than those that it was made for."""
        pairs = enumerate(zip(self.inputs, inputs, strict=True))
        return frozenset(
            place
            for place, (kept, given) in pairs
            if kept is not given and place not in self.copied and not _same(kept, given)
        )

    def run(self, inputs: Sequence[Array]) -> Any:
        """Do it all; returns what was laid down as its result."""
        for place in self.copied:
            np.copyto(self.inputs[place], inputs[place])
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
