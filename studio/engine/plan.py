"""What a layer does in every step, laid out once as a list of calls.

To cut a batch into pieces and make views of them keeps Python busy, which only one thread at a time
can be: the others wait for it. Arrays mostly stay where they are from step to step, so the calls of
NumPy on these views are kept instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from studio.engine.workspace import Task, Threads, Workspace

Array: TypeAlias = NDArray[Any]
T = TypeVar("T")

MOST_PLANS = 32
"""So many plans are kept, for shards of different sizes."""

BY_NAME = (np.maximum, np.minimum)
"""Functions that warn where they are told by its place where to write."""
FEW = 1 << 10
"""Up to so many numbers, arrays of one shape and type are worth making: with any others NumPy takes
longer to find out how to go through them than to compute."""


class Do(Protocol):
    """Has a function called, at once or in every step."""

    def __call__(self, function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
        """Have it called with these arguments."""
        ...


def at_once(function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
    """Call it now, and only now."""
    function(*arguments, **named)


def as_arrays(*numbers: float, dtype: Any) -> list[Array]:
    """Numbers that calls need not convert each time, which takes them as long as short work."""
    return [np.array(number, dtype) for number in numbers]


class Calls:
    """Calls in their order, to be made together later.

    Attributes:
        calls: the calls.
        met: the tasks of the last meeting of threads.
    """

    __slots__ = ("calls", "met")

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []
        self.met: list[Task] | None = None

    def __call__(self, function: Callable[..., object], /, *arguments: Any, **named: Any) -> None:
        """Have a function called."""
        if function is np.copyto and not named:
            # Without the detour through Python that NumPy takes for kinds of arrays of others.
            into, values = arguments
            function, arguments = into.__setitem__, (..., values)
        elif [*named] == ["out"] and isinstance(function, np.ufunc) and function not in BY_NAME:
            # By its place, as NumPy takes as long to read a name as for the shortest work.
            out = named["out"]
            if function.signature is None:
                arguments = self._alike(arguments, out)
            arguments, named = (*arguments, out), {}
        self.calls.append(partial(function, *arguments, **named))

    def _alike(self, values: Sequence[Any], out: Array) -> tuple[Any, ...]:
        """The arguments; of few numbers, those to be repeated or converted are so beforehand."""
        if out.size > FEW or not out.flags.c_contiguous:
            return tuple(values)
        arrays = {id(value): value for value in values if _is_array(value)}
        if {value.dtype for value in arrays.values()} - {out.dtype, np.dtype(bool)}:
            return tuple(values)
        for key, value in arrays.items():
            if value.shape != out.shape or value.dtype != out.dtype:
                arrays[key] = np.empty_like(out)
                self(np.copyto, arrays[key], value)
        return tuple(arrays.get(id(value), value) for value in values)

    def make(self) -> None:
        """Make the calls."""
        for call in self.calls:
            call()


def _is_array(value: object) -> TypeGuard[Array]:
    return isinstance(value, np.ndarray) and value.ndim > 0  # pyright: ignore[reportUnknownMemberType]


def meet(do: Do, threads: Threads, tasks: Sequence[Task], later: Sequence[Task] = ()) -> None:
    """Have tasks done by several threads, see :meth:`Threads.together`.

    They take up what is laid out next by :func:`ahead`.
    """
    met = [*tasks]
    if isinstance(do, Calls):
        do.met = met
    do(threads.together, met, later)


def ahead(do: Do, function: Callable[..., object], *arguments: Any) -> None:
    """Have something called that neither reads nor writes what has been laid out: perhaps earlier.

    At a meeting, by any thread, there is time for it: others come late, as they have to wake up.
    """
    if isinstance(do, Calls) and do.met is not None:
        do.met.append(partial(function, *arguments))
    else:
        do(function, *arguments)


class Plan(Calls):
    """Calls for every step, the array that they read, and what they lead to.

    Args:
        source: what the calls read besides what never moves.
        fixed: what they were laid out for besides, such as weights.
        copies: whether ``source`` is a copy, as what it was made for lies elsewhere in every step.
    """

    __slots__ = ("copies", "fixed", "result", "source")

    def __init__(self, source: Array, fixed: Sequence[object], copies: bool = False) -> None:
        super().__init__()
        self.source = source
        self.fixed = fixed
        self.copies = copies
        self.result: Any = None

    def reads(self, array: Array) -> bool:
        """Whether its calls can work with this array in place of that which it was made for."""
        return self.copies or self.source is array or is_same(self.source, array)

    def run(self, array: Array) -> Any:
        """Do it all; returns what was laid down as its result."""
        if self.copies:
            self.source[...] = array
        self.make()
        return self.result


class Plans:
    """What has been laid out so far, for arrays that have not been replaced since.

    Args:
        workspaces: all the memory that the plans work in, some perhaps within others; copies of
            what moves are put into the first.
    """

    def __init__(self, *workspaces: Workspace) -> None:
        self._workspaces = workspaces
        self._plans: dict[Any, Plan] = {}
        self._allocations = 0

    def __len__(self) -> int:
        return len(self._plans)

    def run(
        self,
        name: tuple[object, ...],
        array: Array,
        fixed: Sequence[object],
        lay: Callable[[Do, Array], T],
    ) -> T:
        """Do what ``lay`` lays out, in this step and with the same arrays in later ones.

        Args:
            name: what is done, and whatever decides about it besides arrays.
            array: is to be read; it may come from elsewhere the next time.
            fixed: what else is read, and gradients to be written: these lie where they are.
            lay: is given what has calls made, and the array to be read; it asks for memory, but
                does nothing to it. It returns what the calls lead to.
        """
        place = self._workspaces[0]
        if not place.reuse:
            plan = Plan(array, fixed)
            plan.result = lay(plan, array)
            return plan.run(array)
        key = (*name, array.shape, *map(id, fixed))
        plan = self._plans.get(key)
        fits = plan is not None and plan.reads(array)
        if plan is None or not fits or self._count() != self._allocations:
            copies = plan is not None and (plan.copies or not fits)
            source = place.array(f"{name} source", array.shape, array.dtype) if copies else array
            plan = Plan(source, fixed, copies)
            plan.result = lay(plan, source)
            if self._count() != self._allocations or len(self._plans) >= MOST_PLANS:
                # Others may hold memory that has been replaced by larger.
                self._plans.clear()
                self._allocations = self._count()
            self._plans[key] = plan
        return plan.run(array)

    def _count(self) -> int:
        total = 0
        for workspace in self._workspaces:
            total += workspace.allocations
        return total


def is_same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same numbers in the same memory."""
    return (
        a.shape == b.shape
        and a.strides == b.strides
        and a.dtype == b.dtype
        and a.__array_interface__["data"] == b.__array_interface__["data"]
    )
