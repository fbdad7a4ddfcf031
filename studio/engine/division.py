"""How a batch is divided into shards, and the stack into segments between which these meet.

All of it depends only on the model and the batch, so that sums are formed in the same order however
many threads there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from studio.engine.layers.base import Layer
from studio.engine.layers.products import parts

MAX_SHARDS, MAX_MEETING = 8, 4
"""At most so many shards, and so many that meet on the way: all of these keep what they found."""
STEP_RATE = 1.5e11
"""Operations per second that one core does in a matrix product: only their order matters here."""
TWO_SHARDS_SECONDS = 6e-4
"""What a step should take at least on one core, to be worth a second thread."""
SHARD_SECONDS = 5e-3
"""What each of more shards should take: threads with much to do seldom wait for each other."""
SERIAL_SECONDS = 4e-4
"""What one of many steps that follow on each other (in time) should take, to be cut: threads wait
for each other at every call that is shorter."""
GRADIENT_SECONDS = 1.5e-9
"""What writing and adding up one more copy of a weight's gradient takes."""
FEW_NUMBERS = 1 << 18
"""So many numbers of a batch go through a layer in less time than threads take to set out anew."""


class Segment(NamedTuple):
    """Some layers that follow on each other.

    Attributes:
        start: the first.
        stop: the one after the last.
        whole: whether they see the whole batch at once.
    """

    start: int
    stop: int
    whole: bool


@dataclass(frozen=True, eq=False)
class Division:
    """Where a batch and the stack are cut."""

    cuts: Sequence[slice]
    segments: Sequence[Segment]

    @property
    def meets(self) -> bool:
        """Whether shards meet on the way."""
        return len(self.cuts) > 1 and any(segment.whole for segment in self.segments)

    def sees_all(self, position: int) -> bool:
        """Whether a layer sees the whole batch."""
        if len(self.cuts) == 1:
            return True
        return any(whole for start, stop, whole in self.segments if start <= position < stop)


def shards(stack: Sequence[Layer], batch: int) -> list[slice]:
    """Where a batch is cut.

    Layers that divide their work by themselves don't count, as they see the whole batch.
    """
    shared = [layer for layer in stack if not layer.divides(batch)]
    work = sum(layer.work() for layer in shared)
    seconds = 6 * work * batch / STEP_RATE
    serial = [layer for layer in shared if layer.serial_steps() > 1]
    if sum(layer.work() for layer in serial) > work / 2:
        steps = sum(layer.serial_steps() for layer in serial)
        if seconds < SERIAL_SECONDS * steps:
            return [slice(0, batch)]
    # Each shard fills a gradient of its own: that may cost a twentieth of the step.
    size = sum(weight.value.size for layer in shared for weight in layer.trainable_weights)
    affordable = 0.05 * seconds / (GRADIENT_SECONDS * max(1, size))
    found = segments(stack, batch)
    most = min(batch, MAX_MEETING if any(part.whole for part in found) else MAX_SHARDS)
    count = int(min(most, max(2, min(affordable, seconds / SHARD_SECONDS))))
    # Shards that meet on the way have to set out more often.
    if seconds < TWO_SHARDS_SECONDS * len(found):
        count = 1
    # A power of two suits most machines: of three shards, two threads have two rounds to do.
    size = -(-batch // (1 << count.bit_length() - 1))
    return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]


def segments(stack: Sequence[Layer], batch: int) -> list[Segment]:
    """The stack cut around layers that mix samples, or divide their work by themselves.

    What follows on the latter stays with them where there is little to do.
    """
    found: list[Segment] = []
    divided = False
    for position, layer in enumerate(stack):
        mixes = layer.mixes_samples
        divided = not mixes and (layer.divides(batch) or (divided and _is_light(layer, batch)))
        whole = mixes or divided
        apart = mixes or not found or stack[found[-1].start].mixes_samples
        if not apart and found[-1].whole == whole:
            found[-1] = Segment(found[-1].start, position + 1, whole)
        else:
            found.append(Segment(position, position + 1, whole))
    return found


def _is_light(layer: Layer, batch: int) -> bool:
    """Whether a batch takes it hardly any time."""
    shapes = (layer.input_shape or (), layer.output_shape)
    numbers = max(prod(size or 1 for size in shape[1:]) for shape in shapes)
    return batch * numbers <= FEW_NUMBERS and parts(batch * layer.work()) == 1
