"""A built and compiled model as three functions of a batch: train, test, predict.

A batch is cut into shards, see ``division.py``. Where a layer sees the whole batch they meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from studio.engine.activations import Activation
from studio.engine.division import Division, Segment, segments, shards
from studio.engine.lane import Lane
from studio.engine.layers.base import Layer
from studio.engine.losses import Loss
from studio.engine.numerics import explain
from studio.engine.optimizers import Optimizer
from studio.engine.parallel import Workers
from studio.engine.parameters import Parameters
from studio.engine.plan import is_same
from studio.engine.workspace import Array, Context, Moment, Workspace


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
        last = stack[-1]
        fused = None
        if loss is not None and getattr(last, "activity_regularizer", None) is None:
            fused = loss.on_logits(last.output_activation)
        # What turns outputs into predictions, where the loss works on logits.
        self.final = None if fused is None else last.output_activation
        self.loss = fused or loss
        self.masks_output = any(layer.makes_mask for layer in stack)
        self.masks_output |= loss is not None and loss.makes_mask
        self.penalty = 0.0
        self._divisions: dict[int, Division] = {}
        self.lanes: list[Lane] = []
        self._scratch = [Workspace(reuse) for _ in range(workers.threads)]
        self._usual = 0
        self._joined = Workspace()
        self._joining = Lock()
        self.gradients: list[tuple[Array, list[dict[str, Array]]]] = []

    @property
    def memory(self) -> int:
        """The bytes of its arrays for batches and of its gradients."""
        spaces = [self._joined, *self._scratch, *(lane.space for lane in self.lanes)]
        gradients = sum(flat.nbytes for flat, _ in self.gradients)
        return gradients + sum(space.memory for space in spaces)

    def shards(self, batch: int) -> list[slice]:
        """Where the batch is cut."""
        return [slice(0, batch)] if self.masks_output else shards(self.stack, batch)

    def division(self, batch: int) -> Division:
        """How the batch is divided."""
        found = self._divisions.get(batch)
        if found is None:
            cuts, parts = self.shards(batch), [Segment(0, len(self.stack), False)]
            if len(cuts) > 1:
                parts = segments(self.stack, batch)
            found = self._divisions[batch] = Division(cuts, parts)
        return found

    def predict(self, x: Array) -> Array:
        """The outputs for a batch."""
        self.moment.training = self.moment.turns_back = False
        out = self._forward(x)[0]
        return out if self.final is None else self.final.forward(out)

    def test(self, x: Array, y: Array, weight: Array | None) -> Result:
        """Loss and predictions of a batch; nothing is learned."""
        self.moment.training = self.moment.turns_back = False
        out, mask = self._forward(x)
        loss, _ = self._judged(y, out, weight, mask)
        return self._result(loss, out, mask)

    def train(self, x: Array, y: Array, weight: Array | None, optimizer: Optimizer) -> Result:
        """One step: forward, loss, backward, update.

        Raises:
            NumericsError: if a number became NaN or infinite; then nothing is updated.
        """
        flat, result = self.gradient(x, y, weight)
        if not isfinite(result.loss) or not isfinite(flat.dot(flat)):
            explain(self, x, flat, result.loss)
        self.parameters.regularize(flat)
        optimizer.apply(self.parameters, flat, self.workers)
        return result

    def gradient(self, x: Array, y: Array, weight: Array | None) -> tuple[Array, Result]:
        """The flat gradient of the loss, weight penalties left out, and the result."""
        self.moment.training = self.moment.turns_back = True
        division = self.division(len(x))
        while len(self.gradients) < len(division.cuts):
            self.gradients.append(self.parameters.gradients())
        if len(division.cuts) == 1:
            step = self._step_whole
        else:
            step = self._step_joined if division.meets else self._step_apart
        try:
            loss, out, mask = step(x, y, weight, division)
        finally:
            self.workers.finish()
        if len(division.cuts) > 1:
            self._add_up(division)
        return self.gradients[0][0], self._result(loss, out, mask)

    def _judged(
        self, y: Array, out: Array, weight: Array | None, mask: Array | None
    ) -> tuple[float, Array]:
        """The loss of a whole batch without penalties, and its gradient by the output."""
        objective = self.lane().objective
        assert objective is not None
        return objective(y, out, weight, mask, len(y))

    def _add_up(self, division: Division) -> None:
        """Add the gradients of all shards, where each has its own, to those of the first."""
        flat, *others = (gradient for gradient, _ in self.gradients[: len(division.cuts)])
        for start, stop, whole in division.segments:
            where = self.parameters.where(start, stop)
            for other in () if whole else others:
                flat[where] += other[where]

    def _step_whole(
        self, x: Array, y: Array, weight: Array | None, division: Division
    ) -> tuple[float, Array, Array | None]:
        """The batch goes all the way and back at once."""
        lane = self.lane()
        lane.aim(0, self.gradients[0][1])
        lane.start(len(x), division)
        found = lane.step(x, y, weight, len(x))
        self.penalty = lane.penalty
        return found

    def _step_apart(
        self, x: Array, y: Array, weight: Array | None, division: Division
    ) -> tuple[float, Array, None]:
        """Each shard goes all the way and back on its own: no layer mixes samples of several."""
        cuts = division.cuts
        lanes = self._lanes(min(len(cuts), self.workers.threads))
        results: list[Any] = [None] * len(cuts)

        def task(shard: int, number: int) -> None:
            lane, cut = lanes[number], cuts[shard]
            lane.aim(shard, self.gradients[shard][1])
            lane.start(len(x), division)
            part = None if weight is None else weight[cut]
            loss, out, _ = lane.step(x[cut], y[cut], part, len(x))
            results[shard] = loss, out.copy(), lane.penalty

        self.workers.run(task, len(cuts))
        losses, outs, penalties = zip(*results, strict=True)
        self.penalty = sum(penalties)
        return sum(losses), np.concatenate(outs), None

    def _step_joined(
        self, x: Array, y: Array, weight: Array | None, division: Division
    ) -> tuple[float, Array, Array | None]:
        """Shards meet at each layer that sees the whole batch, on the way forward and back."""
        cuts = division.cuts
        lanes = self._lanes(len(cuts))
        for shard, lane in enumerate(lanes):
            lane.aim(shard, self.gradients[shard][1])
        caches: list[list[Any]] = []
        out, mask = self._forward(x, caches)
        loss, dy = self._judged(y, out, weight, mask)
        for (start, stop, whole), kept in zip(
            reversed(division.segments), reversed(caches), strict=True
        ):
            if whole:
                dy = lanes[0].backward(dy, kept[0], start, stop)
            else:
                dy = self._backward_segment(dy, kept, start, stop, cuts)
            if dy is None:
                break
        return loss, out, mask

    def _forward(
        self, x: Array, caches: list[list[Any]] | None = None
    ) -> tuple[Array, Array | None]:
        """The output for a batch and its mask, segment by segment; collects caches where asked."""
        division = self.division(len(x))
        cuts = division.cuts
        lanes = self._lanes(len(cuts))
        for lane in lanes:
            lane.start(len(x), division)
        if not self.reuse:
            self._joined = Workspace()
        mask: Array | None = None
        for start, stop, whole in division.segments:
            parts: list[Any] = [None] * (1 if whole else len(cuts))
            pieces = [slice(None)] if whole else cuts
            source, source_mask = x, mask

            def task(shard: int, _: int, parts: list[Any] = parts, pieces: Sequence[slice] = pieces,
                     source: Array = source, source_mask: Array | None = source_mask,
                     start: int = start, stop: int = stop) -> None:  # fmt: skip
                cut = pieces[shard]
                part = None if source_mask is None else source_mask[cut]
                out, kept, part = lanes[shard].forward(source[cut], start, stop, part)
                if len(parts) > 1:
                    lane = lanes[shard].contexts[start:stop]
                    out = self._join(f"y {start}", out, cut, len(source), lane)
                parts[shard] = out, kept, part

            self.workers.run(task, len(parts), in_turn=True)
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
        self, dy: Array, caches: list[Any], start: int, stop: int, cuts: Sequence[slice]
    ) -> Array | None:
        parts: list[Array | None] = [None] * len(cuts)

        def task(shard: int, _: int) -> None:
            part = self.lanes[shard].backward(dy[cuts[shard]], caches[shard], start, stop)
            if part is not None:
                lane = self.lanes[shard].contexts[start:stop]
                parts[shard] = self._join(f"dx {start}", part, cuts[shard], len(dy), lane)

        self.workers.run(task, len(cuts), in_turn=True)
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

    def _result(self, loss: float, out: Array, mask: Array | None) -> Result:
        return Result(loss + self.parameters.penalty() + self.penalty, out, self.final, mask)

    def lane(self) -> Lane:
        """The first lane."""
        return self.lanes[0] if self.lanes else self._lanes(1)[0]

    def _lanes(self, count: int) -> list[Lane]:
        """So many lanes; where threads take more than one each, they take them in turn."""
        for number in range(len(self.lanes), count):
            scratch = self._scratch[number % self.workers.threads]
            linear = self.final is not None
            lane = Lane(
                self.stack, self.moment, self.workers, self.reuse, linear, scratch, self.loss
            )
            self.lanes.append(lane)
        return self.lanes[:count]
