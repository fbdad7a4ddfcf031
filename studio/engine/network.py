"""A built and compiled model as three functions of a batch: train, test, predict.

A batch is cut into shards of a size that depends only on the model and the batch, so the sums are
formed in the same order however many threads there are. Layers that mix samples stand between
segments of the stack: the shards meet there, and the layer sees the whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from studio.engine.activations import Activation
from studio.engine.lane import Lane
from studio.engine.layers.base import Layer
from studio.engine.losses import Loss, weigh
from studio.engine.numerics import explain
from studio.engine.optimizers import Optimizer
from studio.engine.parallel import Workers
from studio.engine.parameters import Parameters
from studio.engine.plan import is_same
from studio.engine.workspace import ALONE, Array, Context, Moment, Threads, Workspace

MAX_SHARDS = 8
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


class Result(NamedTuple):
    """What is known after a batch.

    Attributes:
        loss: with penalties.
        output: what the layers gave, in reused memory: to be read before the next batch.
        activation: what turns the output into predictions, where the loss worked on logits.
        mask: which outputs count.
    """

    loss: float
    output: Array
    activation: Activation | None = None
    mask: Array | None = None


class Network:
    """See the module's docstring.

    Args:
        stack: built layers.
        loss: the loss, or None for predictions only.
        moment: seed and position of the training.
        parameters: the model's trainable weights.
        workers: threads for the shards.
        reuse: whether scratch memory is kept from batch to batch.
    """

    def __init__(
        self,
        stack: Sequence[Layer],
        loss: Loss | None,
        moment: Moment,
        parameters: Parameters,
        workers: Workers,
        reuse: bool = True,
    ) -> None:
        self.stack = stack
        self.moment = moment
        self.parameters = parameters
        self.workers = workers
        self.reuse = reuse
        self.segments = segments(stack)
        last = stack[-1]
        fused = None
        if loss is not None and getattr(last, "activity_regularizer", None) is None:
            fused = loss.on_logits(last.output_activation)
        # What turns outputs into predictions, where the loss works on logits.
        self.final = None if fused is None else last.output_activation
        self.loss = fused or loss
        self.sample_work = sum(layer.work() for layer in stack)
        serial = [layer for layer in stack if layer.serial_steps() > 1]
        self.serial_steps = 1
        if sum(layer.work() for layer in serial) > self.sample_work / 2:
            self.serial_steps = sum(layer.serial_steps() for layer in serial)
        self.masks_output = any(layer.makes_mask for layer in stack)
        self.masks_output |= getattr(loss, "ignore_class", None) is not None
        self.penalty = 0.0
        self._cuts: dict[int, list[slice]] = {}
        self.lanes: list[Lane] = []
        self._usual = 0
        self._joined = Workspace()
        self._joining = Lock()
        self.gradients: list[tuple[Array, list[dict[str, Array]]]] = []

    def shards(self, batch: int) -> list[slice]:
        """Where the batch is cut: a function of the model and the batch size only."""
        found = self._cuts.get(batch)
        if found is None:
            found = self._cuts[batch] = self._cut(batch)
        return found

    def _cut(self, batch: int) -> list[slice]:
        if self.masks_output:
            return [slice(0, batch)]
        divided = sum(layer.work() for layer in self.stack if layer.divides(batch))
        if divided > self.sample_work / 2:
            return [slice(0, batch)]
        seconds = 6 * self.sample_work * batch / STEP_RATE
        if self.serial_steps > 1 and seconds < SERIAL_SECONDS * self.serial_steps:
            return [slice(0, batch)]
        # Each shard fills a gradient of its own: that may cost a twentieth of the step.
        affordable = 0.05 * seconds / (GRADIENT_SECONDS * max(1, self.parameters.values.size))
        count = int(min(MAX_SHARDS, batch, max(2, min(affordable, seconds / SHARD_SECONDS))))
        # Shards that meet on the way have to set out more often.
        if seconds < TWO_SHARDS_SECONDS * len(self.segments):
            count = 1
        # A power of two suits most machines: of three shards, two threads have two rounds to do.
        size = -(-batch // (1 << count.bit_length() - 1))
        return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]

    def predict(self, x: Array) -> Array:
        """The outputs for a batch."""
        self.moment.training = False
        out = self._forward(x, self.shards(len(x)))[0]
        return out if self.final is None else self.final.forward(out)

    def test(self, x: Array, y: Array, weight: Array | None) -> Result:
        """Loss and predictions of a batch; nothing is learned."""
        assert self.loss is not None
        self.moment.training = False
        out, mask = self._forward(x, self.shards(len(x)))
        values, _ = self._weigh(self.loss.values(y, out), y, weight, mask)
        return self._result(values, out, mask)

    def train(self, x: Array, y: Array, weight: Array | None, optimizer: Optimizer) -> Result:
        """One step: forward, loss, backward, update.

        Raises:
            NumericsError: if a number became NaN or infinite; then nothing is updated.
        """
        flat, result = self.gradient(x, y, weight)
        if not isfinite(result.loss) or not isfinite(np.dot(flat, flat)):
            explain(self, x, flat, result.loss)
        self.parameters.regularize(flat)
        optimizer.apply(self.parameters, flat, self.workers)
        return result

    def gradient(self, x: Array, y: Array, weight: Array | None) -> tuple[Array, Result]:
        """The flat gradient of the loss, weight penalties left out, and the result."""
        self.moment.training = True
        cuts = self.shards(len(x))
        while len(self.gradients) < len(cuts):
            self.gradients.append(self.parameters.gradients())
        if len(self.segments) == 1 or len(cuts) == 1:
            values, out, mask = self._step_apart(x, y, weight, cuts)
        else:
            values, out, mask = self._step_joined(x, y, weight, cuts)
        flat = self.gradients[0][0]
        for other, _ in self.gradients[1 : len(cuts)]:
            flat += other
        return flat, self._result(values, out, mask)

    def _step_apart(
        self, x: Array, y: Array, weight: Array | None, cuts: list[slice]
    ) -> tuple[Array, Array, Array | None]:
        """Each shard goes all the way and back on its own: no layer mixes samples of several."""
        depth = len(self.stack)
        lanes = self._lanes(min(len(cuts), self.workers.threads))
        threads = self._threads(cuts)
        results: list[Any] = [None] * len(cuts)

        def task(shard: int, number: int) -> None:
            lane, cut = lanes[number], cuts[shard]
            lane.aim(shard, self.gradients[shard][1])
            lane.start(len(x), threads)
            out, caches, mask = lane.forward(x[cut], 0, depth)
            if len(self.segments) > 1:
                lane.learn(caches, 0, depth)
            part = None if weight is None else weight[cut]
            values, dy = self._loss(y[cut], out, part, mask, len(x))
            lane.backward(dy, caches, 0, depth)
            out = out if len(cuts) == 1 else out.copy()
            results[shard] = values, out, lane.penalty, mask

        self.workers.run(task, len(cuts))
        self.penalty = sum(result[2] for result in results)
        if len(cuts) == 1:
            return results[0][0], results[0][1], results[0][3]
        return (
            np.concatenate([result[0] for result in results]),
            np.concatenate([result[1] for result in results]),
            None,
        )

    def _step_joined(
        self, x: Array, y: Array, weight: Array | None, cuts: list[slice]
    ) -> tuple[Array, Array, Array | None]:
        """Shards meet at each layer that mixes samples, on the way forward and back."""
        lanes = self._lanes(len(cuts))
        for shard, lane in enumerate(lanes):
            lane.aim(shard, self.gradients[shard][1])
        for flat, _ in self.gradients[1 : len(cuts)]:
            flat.fill(0)
        caches: list[list[Any]] = []
        out, mask = self._forward(x, cuts, caches)
        values, dy = self._loss(y, out, weight, mask, len(x))
        for (start, stop, whole), kept in zip(
            reversed(self.segments), reversed(caches), strict=True
        ):
            if whole:
                dy = lanes[0].backward(dy, kept[0], start, stop)
            else:
                dy = self._backward_segment(dy, kept, start, stop, cuts)
            if dy is None:
                break
        return values, out, mask

    def _forward(
        self, x: Array, cuts: list[slice], caches: list[list[Any]] | None = None
    ) -> tuple[Array, Array | None]:
        """The output for a batch and its mask, segment by segment; collects caches where asked."""
        lanes = self._lanes(len(cuts))
        for lane in lanes:
            lane.start(len(x), self._threads(cuts))
        if not self.reuse:
            self._joined = Workspace()
        mask: Array | None = None
        for start, stop, whole in self.segments:
            parts: list[Any] = [None] * (1 if whole else len(cuts))
            pieces = [slice(None)] if whole else cuts
            source, source_mask = x, mask

            def task(shard: int, _: int, parts: list[Any] = parts, pieces: list[slice] = pieces,
                     source: Array = source, source_mask: Array | None = source_mask,
                     start: int = start, stop: int = stop) -> None:  # fmt: skip
                cut = pieces[shard]
                part = None if source_mask is None else source_mask[cut]
                out, kept, part = lanes[shard].forward(source[cut], start, stop, part)
                if len(parts) > 1:
                    lane = lanes[shard].contexts[start:stop]
                    out = self._join(f"y {start}", out, cut, len(source), lane)
                parts[shard] = out, kept, part

            self.workers.run(task, len(parts))
            if whole and self.moment.training:
                lanes[0].learn(parts[0][1], start, stop)
            if caches is not None:
                caches.append([part[1] for part in parts])
            x = parts[0][0]
            masks = [part[2] for part in parts]
            mask = None if masks[0] is None else np.concatenate(masks)
        self.penalty = sum(lane.penalty for lane in lanes)
        return x, mask

    def _backward_segment(
        self, dy: Array, caches: list[Any], start: int, stop: int, cuts: list[slice]
    ) -> Array | None:
        parts: list[Array | None] = [None] * len(cuts)

        def task(shard: int, _: int) -> None:
            part = self.lanes[shard].backward(dy[cuts[shard]], caches[shard], start, stop)
            if part is not None:
                lane = self.lanes[shard].contexts[start:stop]
                parts[shard] = self._join(f"dx {start}", part, cuts[shard], len(dy), lane)

        self.workers.run(task, len(cuts))
        return parts[0]

    def _join(
        self, name: str, part: Array, cut: slice, batch: int, lane: Sequence[Context]
    ) -> Array:
        """The array of a whole batch, with a shard's part put where it belongs.

        From the second batch of the usual size on its lane writes it there itself.
        """
        with self._joining:
            self._usual = self._usual or batch
            usual = batch == self._usual
            name = name if usual else f"{name} of others"
            whole = self._joined.array(name, (batch, *part.shape[1:]), part.dtype)
        place = whole[cut]
        if not is_same(place, part):
            np.copyto(place, part)
            for context in lane if usual else ():
                context.workspace.move(part, place)
        return whole

    def _loss(
        self, y: Array, out: Array, weight: Array | None, mask: Array | None, batch: int
    ) -> tuple[Array, Array]:
        """Weighted values of a shard, and the gradient of the batch's reduced loss by ``out``."""
        assert self.loss is not None
        values, dy = self.loss.values_and_gradient(y, out)
        values, factor = self._weigh(values, y, weight, mask)
        share = self.loss.count(values) * batch / len(values)
        scale = 1 / share if self.loss.reduction == "sum_over_batch_size" else 1.0
        if factor is not None:
            dy = dy * (factor * scale)[..., None].astype(dy.dtype)
        elif scale != 1:
            dy *= dy.dtype.type(scale)
        return values, dy

    def _weigh(
        self, values: Array, y: Array, weight: Array | None, mask: Array | None
    ) -> tuple[Array, Array | None]:
        assert self.loss is not None
        own = self.loss.mask(y)
        if own is not None:
            mask = own if mask is None else mask & own
        return weigh(values, weight, mask, self.loss.reduction == "sum_over_batch_size")

    def _result(self, values: Array, out: Array, mask: Array | None = None) -> Result:
        assert self.loss is not None
        loss = float(np.add.reduce(values, axis=None)) / self.loss.count(values)
        loss += self.parameters.penalty() + self.penalty
        return Result(loss, out, self.final, mask)

    def lane(self) -> Lane:
        """A lane for looking at single layers."""
        return self._lanes(1)[0]

    def _threads(self, cuts: list[slice]) -> Threads:
        """Who works for the layers of a shard: the threads that have no shard of their own."""
        return self.workers if len(cuts) == 1 else ALONE

    def _lane(self) -> Lane:
        return Lane(self.stack, self.moment, self.workers, self.reuse, self.final is not None)

    def _lanes(self, count: int) -> list[Lane]:
        while len(self.lanes) < count:
            self.lanes.append(self._lane())
        return self.lanes[:count]


def segments(stack: Sequence[Layer]) -> list[tuple[int, int, bool]]:
    """The stack cut at layers that mix samples: (start, stop, whether it needs the whole batch)."""
    found: list[tuple[int, int, bool]] = []
    for position, layer in enumerate(stack):
        mixes = layer.mixes_samples
        if not mixes and found and not found[-1][2]:
            found[-1] = (found[-1][0], position + 1, False)
        else:
            found.append((position, position + 1, mixes))
    return found
