"""What a layer is handed for one shard of one batch, and the scratch memory it may reuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy as np

from studio.engine.memory import empty
from studio.engine.plan import Array, Do, Plans, is_same
from studio.engine.random import Stream

if TYPE_CHECKING:
    from studio.engine.layers.supply import Asking, Supply

Shape: TypeAlias = tuple[int | None, ...]
Key: TypeAlias = tuple[str, np.dtype[Any]]
T = TypeVar("T")


class Workspace:
    """Named scratch arrays, allocated once and reused while they are large enough.

    What an array holds between two requests of the same name and type is not defined. With
    ``reuse=False`` each request allocates anew, which tests use to show that results do not depend
    on it. ``allocations`` counts how often reused memory had to be found or enlarged, here or for a
    layer within, and ``memory`` the bytes of it.
    """

    __slots__ = ("_around", "_buffers", "_moved", "_views", "allocations", "memory", "reuse")

    def __init__(self, reuse: bool = True, around: Workspace | None = None) -> None:
        self.reuse = reuse
        self.allocations = self.memory = 0
        self._around = around
        self._buffers: dict[Key, Array] = {}
        self._moved: set[Key] = set()
        self._views: dict[tuple[Key, tuple[int, ...]], Array] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An uninitialised C-ordered array of that shape and type."""
        key = name, np.dtype(dtype)
        view = self._views.get((key, shape))
        if view is not None:
            return view
        if not self.reuse:
            return empty(shape, dtype)
        size = prod(shape)
        buffer = self._buffers.get(key)
        if buffer is None or buffer.size < size:
            more = size if buffer is None else size - buffer.size
            buffer = self._buffers[key] = empty((size,), dtype)
            self._changed(key, more * buffer.itemsize)
        view = self._views[key, shape] = buffer[:size].reshape(shape)
        return view

    def move(self, array: Array, place: Array) -> None:
        """From the next request on, have what is in ``array`` now in a place of the same size.

        Done once for each name: what asks for several sizes by turns would move all the time.
        """
        for key, buffer in self._buffers.items():
            if key in self._moved or buffer.size < array.size:
                continue
            if is_same(buffer[: array.size].reshape(array.shape), array):
                self._buffers[key] = place.reshape(-1)
                self._moved.add(key)
                self._changed(key)
                return

    def _changed(self, changed: Key, memory: int = 0) -> None:
        self._views = {
            (key, shape): old for (key, shape), old in self._views.items() if key != changed
        }
        self._count(memory)

    def _count(self, memory: int) -> None:
        self.allocations += 1
        self.memory += memory
        if self._around is not None:
            self._around._count(memory)

    def within(self) -> Workspace:
        """An empty one of the same kind, for a layer within the layer."""
        return Workspace(self.reuse, self)


@dataclass(slots=True)
class Moment:
    """Where training stands: what random streams depend on besides the layer. Shared by a model.

    Where no way back follows, as it does not in evaluation, layers need not prepare it.
    """

    seed: int = 0
    epoch: int = 0
    step: int = 0
    training: bool = False
    turns_back: bool = True


Task: TypeAlias = Callable[[], object]
"""Something to do, perhaps on another thread; it may not ask a workspace for arrays."""


class Threads(Protocol):
    """Who works for a layer besides the thread that it was called on."""

    def beside(self, task: Task) -> Task:
        """Have a task done while the caller goes on; what is returned waits until it is done.

        Tasks are done in the order in which they were handed in.
        """
        ...

    def together(self, tasks: Sequence[Task], later: Sequence[Task] = ()) -> None:
        """Have tasks done, in any order and at the same time.

        Args:
            tasks: those that are done when this returns.
            later: those that nobody waits for until the end of the step.
        """
        ...


class Alone:
    """Nobody: each task is done at once."""

    def beside(self, task: Task) -> Task:
        """Do the task; there is nothing to wait for."""
        task()
        return _done

    def together(self, tasks: Sequence[Task], later: Sequence[Task] = ()) -> None:
        """Do the tasks one after the other."""
        for task in (*tasks, *later):
            task()


ALONE = Alone()


def _done() -> None:
    """There is nothing to wait for."""


class Late(Protocol):
    """What a layer does to the numbers that it picks, as the layer before has left it out."""

    def take_supply(self) -> Supply | None:
        """What gives these numbers, where they are asked for; to be taken once it is laid out."""
        ...

    def lay(self, z: Array, space: Workspace, do: Do) -> None:
        """Have it done in place, to some samples."""
        ...

    def lay_start(self, do: Do) -> None:
        """Have the way back begun."""
        ...

    def lay_back(self, dy: Array, y: Array, space: Workspace, do: Do) -> Array:
        """The gradient before it, of some samples."""
        ...


@dataclass(slots=True)
class Context:
    """All that a layer needs to know about one shard of one batch besides its input.

    Attributes:
        moment: seed, epoch and step, and whether this is training.
        layer: position of the layer in the model, part of its random streams.
        shard: position of the shard in the batch, likewise.
        workspace: scratch memory of this layer for this shard.
        scratch: memory that layers share: what is in it lasts until the layer is done.
        mask: which time steps of the input count, ``(batch, time)`` bool, or None for all.
        needs_input_gradient: False for a first layer, whose input gradient nobody reads.
        linear_output: True where the loss works on logits, or the next layer picks the largest
            numbers: leave out the final activation.
        leaves_bias: True where the next layer adds the bias to what it picks, and finds its
            gradient.
        asking: the next layer, where it asks for a few samples at a time.
        supply: what then gives them, until that layer takes it.
        late: what the layer before has left out.
        gradients: where to write the gradients of the weights, by name; absent names are allocated.
        scope: which layer within a layer it is for, part of its random streams.
        threads: who works for the layer besides the thread that it was called on.
        plans: what has been laid out so far.
    """

    moment: Moment = field(default_factory=Moment)
    layer: int = 0
    shard: int = 0
    workspace: Workspace = field(default_factory=Workspace)
    scratch: Workspace = field(default_factory=Workspace)
    mask: Array | None = None
    needs_input_gradient: bool = True
    linear_output: bool = False
    leaves_bias: bool = False
    asking: Asking | None = None
    supply: Supply | None = None
    late: Late | None = None
    gradients: dict[str, Array] = field(default_factory=dict[str, Array])
    scope: str = ""
    threads: Threads = ALONE
    streams: dict[tuple[int, str], Stream] = field(default_factory=dict[tuple[int, str], Stream])
    children: dict[tuple[str, int], Context] = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    plans: Plans | None = None

    @property
    def training(self) -> bool:
        """Whether layers that behave otherwise in training (Dropout) should do so."""
        return self.moment.training

    @property
    def turns_back(self) -> bool:
        """Whether a way back follows."""
        return self.moment.turns_back

    def random(self, purpose: str = "") -> np.random.Generator:
        """The random stream of this layer, step, shard and purpose; until it is asked for again."""
        moment, key = self.moment, (self.moment.seed, purpose)
        stream = self.streams.get(key)
        if stream is None:
            stream = Stream(moment.seed, "layer", self.layer, self.scope + purpose)
            self.streams[key] = stream
        return stream.at(moment.epoch, moment.step, self.shard)

    def aim(self, shard: int, gradients: dict[str, Array]) -> None:
        """Set the shard, and where the gradients of the weights go."""
        self.shard, self.gradients = shard, gradients
        for (prefix, _), child in self.children.items():
            child.aim(shard, _of(prefix, gradients))

    def gradient(self, name: str, like: Array) -> Array:
        """The array to write the gradient of weight ``name`` into: shape and type of ``like``."""
        found = self.gradients.get(name)
        if found is None:
            found = self.workspace.array(f"gradient {name}", like.shape, like.dtype)
        return found

    def settle_mask(self) -> None:
        """Move the mask to where it lies in every batch: what has been laid out reads it there."""
        if self.mask is not None:
            place = self.workspace.array("settled mask", self.mask.shape, self.mask.dtype)
            if place is not self.mask:
                np.copyto(place, self.mask)
                self.mask = place

    def planned(
        self, name: str, array: Array, fixed: Sequence[object], lay: Callable[[Do, Array], T]
    ) -> T:
        """Do what ``lay`` lays out, in this step and in later ones: see :meth:`Plans.run`."""
        if self.plans is None:
            self.plans = Plans(self.workspace, self.scratch)
        self.settle_mask()
        flags = (
            self.training, self.turns_back, self.linear_output, self.needs_input_gradient,
            self.threads, self.mask is None,
        )  # fmt: skip
        return self.plans.run((name, *flags), array, fixed, lay)

    def child(
        self,
        prefix: str,
        mask: Array | None,
        needs_input_gradient: bool = True,
        linear_output: bool = False,
        place: int = 0,
    ) -> Context:
        """The context of a layer within: scratch memory and random numbers of its own.

        Args:
            prefix: what the names of its weights begin with in this layer.
            mask: which time steps of its input count.
            needs_input_gradient: whether anyone reads its input's gradient.
            linear_output: whether it leaves out its final activation.
            place: tells apart several uses of the same layer within one batch.
        """
        found = self.children.get((prefix, place))
        if found is None:
            scope = f"{self.scope}{prefix}{place or ''}"
            found = self.children[prefix, place] = Context(
                moment=self.moment, layer=self.layer, workspace=self.workspace.within(),
                scratch=self.scratch, scope=scope,
            )  # fmt: skip
        found.mask, found.threads = mask, self.threads
        found.needs_input_gradient, found.linear_output = needs_input_gradient, linear_output
        found.aim(self.shard, _of(prefix, self.gradients))
        return found


def _of(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    """Those of a layer within, whose names begin with a prefix."""
    found = arrays.items()
    return {name.removeprefix(prefix): array for name, array in found if name.startswith(prefix)}
